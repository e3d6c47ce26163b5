"""The Scrape button, and where its work shall run."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.humanize.templatetags.humanize import ordinal
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from pipeline import api, queries
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.models import Run
from pipeline.queries.explain import QueueView, held_back
from pipeline.states import RunStatus
from pipeline.views.access import needs, see_other
from pipeline.words import in_words

from ..amazon.tracking import JOB_TYPE, scrape_parameters
from .access import get_competitor, get_listing

LEGACY = "amazon_legacy"  # session: scrape on the web server
FOLLOWED = "amazon_followed"  # session: listing id -> the run it started there
OPTIONS = {"include_keywords": "keyword sweeps", "include_helpful": "sweeps by most helpful"}


@require_POST
@needs("competitors.scrape_competitoramazonurl")
def scrape_reviews(request: HttpRequest, brand: str, competitor: UUID, url: UUID) -> HttpResponse:
    """Queue a scrape of the listing (or begin it here, where the session says legacy) and go back to its panel."""
    listing = get_listing(brand, competitor, url)
    owner = listing.competitor.brand
    wanted = scrape_parameters(listing, keywords="include_keywords" in request.POST, helpful="include_helpful" in request.POST)
    legacy = bool(request.session.get(LEGACY))
    try:
        if legacy:
            queued = api.start_here(owner.pk, JOB_TYPE, wanted, mode=Run.Mode.LEGACY, created_by=request.user)
        else:
            queued = api.queue_one_time_job(owner.pk, JOB_TYPE, wanted, created_by=request.user)
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
        return see_other(listing.get_absolute_url())
    link = format_html('<a href="{}">See run {}</a>', queued.run.get_absolute_url(), queued.run.pk)
    if not queued.created:
        messages.info(request, format_html("{} {}", already(queued.run, wanted, request.user), link))
    elif legacy:
        request.session[FOLLOWED] = request.session.get(FOLLOWED, {}) | {str(listing.pk): queued.run.pk}
        messages.info(
            request, format_html("Review scrape started on the web server. You may close this page: it goes on. {}", link)
        )
    else:
        starts = held_back(queued.run, QueueView(timezone.now())) or "It starts when a worker is free."
        messages.info(request, format_html("Review scrape queued! {} {}", starts, link))
    return see_other(listing.get_absolute_url())


@require_POST
@needs("competitors.scrape_competitoramazonurl")
def legacy(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """Remember for this session where Scrape does its work."""
    owner = get_competitor(brand, competitor)
    request.session[LEGACY] = "legacy" in request.POST
    if request.session[LEGACY]:
        messages.success(request, "Scrapes now run on the web server while this session lasts.")
    else:
        messages.success(request, "Scrapes now run on workers.")
    return see_other(owner.get_absolute_url())


def already(run: Run, wanted: dict[str, object], user: AbstractBaseUser | AnonymousUser) -> SafeString:
    """Why the click made no new run: what the live one is doing, and what it was asked for if that differs."""
    now = timezone.now()
    around = QueueView(now)
    line = queries.run_row(run, user, around)
    ago = in_words(now - run.created_at)
    if run.status == RunStatus.PENDING and run.attempt:
        words = format_html("This scrape already waits for its next try. {} Run now brings it forward.", line.explanation)
    elif run.status == RunStatus.PENDING and run.due_at <= now:
        # A place in the queue says that its turn comes, which is no answer while a pause or a limit holds it back.
        place = None if held_back(run, around) else queries.place_in_queue(run)
        words = format_html("This scrape was already queued {} ago by {}", ago, line.by)
        words = (
            format_html("{}, {} in the queue.", words, ordinal(place))
            if place
            else format_html("{}. {}", words, line.explanation)
        )
    elif run.status == RunStatus.PENDING:
        words = format_html("This scrape was already queued {} ago by {}. {}", ago, line.by, line.explanation)
    else:
        since = timezone.localtime(run.started_at or run.created_at)
        words = format_html("This scrape is already running since {}, started by {}.", f"{since:%H:%M}", line.by)
    other = [
        f"{'with' if run.parameters.get(name) else 'without'} {label}"
        for name, label in OPTIONS.items()
        if name in run.parameters and bool(run.parameters[name]) != wanted[name]
    ]
    return format_html("{} It was asked with other options: {}.", words, " and ".join(other)) if other else words
