"""Handles the Scrape button: queues the run, or starts it on the web server if the session says so."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import format_html

from pipeline import api, queries
from pipeline.contract import get_type
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.models import Run

from .page import SubjectPage


def press(request: HttpRequest, page: SubjectPage[Any], row: Any, *, legacy: bool) -> Run | None:
    """Start a scrape of the row with the posted options. Returns the run if it was started on the web server."""
    options = chosen(page, row, request.POST)
    wanted = page.parameters(row) | options
    return start(
        request, row.brand.pk, page.job_type, wanted, options=options, work=page.work, act=page.act.lower(), legacy=legacy
    )


def start(
    request: HttpRequest,
    brand_id: UUID | None,
    job_type: str,
    wanted: dict[str, Any],
    *,
    options: Mapping[str, Any],
    work: str,
    act: str = "scrape",
    legacy: bool,
) -> Run | None:
    """Queue it, or start it on the web server, and say what became of the click. Returns the run if it was started here.

    `options`: those of the parameters that the person chose; `work`: what a run is called; `act`: what it does.
    """
    free = "reuse" in request.POST  # the button says that it costs nothing, so the run may not pay
    who: dict[str, Any] = {"created_by": request.user, "reuse": free, "pay": not free}
    try:
        if legacy:
            queued = api.start_here(brand_id, job_type, wanted, mode=Run.Mode.LEGACY, **who)
        else:
            queued = api.queue_one_time_job(brand_id, job_type, wanted, **who)
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
        return None
    # The run's number is the message's tag: live.js replaces the message when the run has ended.
    link = format_html('<a href="{}">See run {}</a>', queued.run.get_absolute_url(), queued.run.pk)
    if not queued.created:
        messages.info(request, format_html("{} {}", queries.already_queued(queued.run, options, request.user), link))
    elif queued.run.mode == Run.Mode.LEGACY:
        words = "{} started on the web server. You can close this page; it continues. {}"
        messages.info(request, format_html(words, work, link), str(queued.run.pk))
        return queued.run
    else:
        starts = (
            queries.kept_back(queued.run, queries.QueueView(timezone.now(), request.user)) or "It starts when a worker is free."
        )
        if legacy:
            starts = f"The web server already does as many {act}s as it can, so a worker does this one. {starts}"
        messages.info(request, format_html("{} queued! {} {}", work, starts, link), str(queued.run.pk))
    return None


def chosen(page: SubjectPage[Any], row: Any, data: QueryDict) -> dict[str, Any]:
    """The options as the form sent them: an unchecked box is off, a missing field keeps its default."""
    fields = get_type(page.job_type).Params.base_fields
    sent = {name: fields[name].widget.value_from_datadict(data, {}, name) for name in page.options(row)}
    return {name: value for name, value in sent.items() if value is not None}
