"""A press on Scrape: queue the run, or start it on the web server where the session says so, and say what happened."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.humanize.templatetags.humanize import ordinal
from django.forms.utils import pretty_name
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pipeline import api, here, queries
from pipeline.errors import InvalidRequest, NotAllowed
from pipeline.explain import Surroundings, held_back, in_words
from pipeline.models import Run
from pipeline.registry import get_type
from pipeline.states import RunStatus

from .subject_page import SubjectPage

SWITCH = {True: "on", False: "off"}


def press(request: HttpRequest, page: SubjectPage[Any], row: Any, *, legacy: bool) -> Run | None:
    """Start a scrape of the row with the posted options. Returns the run if it was started on the web server."""
    wanted = page.parameters(row) | _chosen(page, row, request.POST)
    try:
        if legacy:
            queued = here.start(row.brand.pk, page.job_type, wanted, mode=Run.Mode.LEGACY, created_by=request.user)
        else:
            queued = api.queue_one_time_job(row.brand.pk, page.job_type, wanted, created_by=request.user)
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
        return None
    link = format_html('<a href="{}">See run {}</a>', queued.run.get_absolute_url(), queued.run.pk)
    if not queued.created:
        messages.info(request, format_html("{} {}", _already(page, queued.run, wanted, request.user), link))
    elif legacy:
        words = "{} started on the web server. You can close this page; it continues. {}"
        messages.info(request, format_html(words, page.work, link))
        return queued.run
    else:
        starts = held_back(queued.run, Surroundings(timezone.now())) or "It starts when a worker is free."
        messages.info(request, format_html("{} queued! {} {}", page.work, starts, link))
    return None


def _chosen(page: SubjectPage[Any], row: Any, data: QueryDict) -> dict[str, Any]:
    """The options as the form sent them: a box that is not ticked is off, a field that is not there keeps its default."""
    fields = get_type(page.job_type).Params.base_fields
    sent = {name: fields[name].widget.value_from_datadict(data, {}, name) for name in page.options(row)}
    return {name: value for name, value in sent.items() if value is not None}


def _already(page: SubjectPage[Any], run: Run, wanted: Mapping[str, Any], user: AbstractBaseUser | AnonymousUser) -> SafeString:
    """Why the click made no new run: what the live one is doing, and its options if they are others."""
    now = timezone.now()
    around = Surroundings(now)
    line = queries.run_line(run, user, around)
    ago = in_words(now - run.created_at)
    if run.status == RunStatus.PENDING and run.attempt:
        words = format_html("This scrape is waiting to be tried again. {} Press Run now to try it at once.", line.explanation)
    elif run.status == RunStatus.PENDING and run.due_at <= now:
        # A place in line promises that its turn comes, which is not so while a pause or a limit holds it back.
        place = None if held_back(run, around) else queries.place_in_line(run)
        words = format_html("This scrape was already queued {} ago by {}", ago, line.by)
        words = format_html("{}, {} in line.", words, ordinal(place)) if place else format_html("{}. {}", words, line.explanation)
    elif run.status == RunStatus.PENDING:
        words = format_html("This scrape was already queued {} ago by {}. {}", ago, line.by, line.explanation)
    else:
        since = timezone.localtime(run.started_at or run.created_at)
        words = format_html("This scrape is already running since {}, started by {}.", f"{since:%H:%M}", line.by)
    other = _other_options(page, run, wanted)
    return format_html("{} Its options differ: {}.", words, other) if other else words


def _other_options(page: SubjectPage[Any], run: Run, wanted: Mapping[str, Any]) -> str:
    """'Country: DE; Only active ads: on' for the options in which the run differs from what was wanted; '' if none."""
    fields = get_type(page.job_type).Params.base_fields
    has = {name: run.parameters[name] for name in wanted if name in run.parameters}
    return "; ".join(
        f"{fields[name].label or pretty_name(name)}: {SWITCH[value] if isinstance(value, bool) else value}"
        for name, value in has.items()
        if str(value) != str(wanted[name])
    )
