"""The Amazon tab of a competitor, and the fragment that keeps it current while something is live."""

import hashlib
import re
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from pipeline import queries
from pipeline.models import Run
from pipeline.states import TERMINAL
from pipeline.views.access import needs, see_other

from ..amazon.sweeps import KEYWORDS, STARS
from ..amazon.tracking import JOB_TYPE
from ..forms import AmazonUrlForm
from ..models import Competitor
from . import panels
from .access import get_competitor
from .scrape import FOLLOWED, LEGACY

PAUSED = "live_paused"  # session: this person wants pages to stand still
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')  # masked anew in every answer, which is no change
MOST_WATCHED = 100  # run ids believed of one poll
SWEEPS = {
    "stars": 1 + len(STARS),
    "keywords": len(KEYWORDS),
    "helpful": 3,
}  # as amazon.sweeps makes them, for the options' labels


@require_GET
@needs("competitors.view_competitoramazonurl")
def tab(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """Every listing with its button, its figures and its last runs."""
    context = _context(request, get_competitor(brand, competitor))
    context["form"] = AmazonUrlForm(competitor=context["competitor"], auto_id="add_%s")
    return render(request, "competitors/amazon_tab.html", context)


@require_GET
@needs("competitors.view_competitoramazonurl")
def live(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """The regions of the listings that were live when the page last looked, or are now. 204 where nothing has changed."""
    owner = get_competitor(brand, competitor)
    before = _watched(request.GET.get("watch", ""))
    context = _context(request, owner)
    runs = Run.objects.filter(pk__in=before, brand=owner.brand, job_type=JOB_TYPE)
    subjects = {run.subject for run in runs} | {str(panel.listing.pk) for panel in context["panels"] if panel.live}
    context["panels"] = [panel for panel in context["panels"] if str(panel.listing.pk) in subjects]
    context["news"] = [
        queries.run_row(run, request.user) for run in runs if run.status != before[run.pk] and run.status in TERMINAL
    ]
    body = render_to_string("competitors/_amazon_live.html", context, request)
    digest = hashlib.sha256(TOKEN.sub("", body).encode()).hexdigest()[:16]
    if request.GET.get("seen") == digest:
        return HttpResponse(status=204)
    poll = render_to_string("competitors/_poll.html", context | {"seen": digest}, request)
    return HttpResponse(poll + body)


@require_POST
@needs("competitors.view_competitoramazonurl")
def updates(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """Pause or resume live updates for this session."""
    request.session[PAUSED] = request.POST.get("updates") == "pause"
    return see_other(get_competitor(brand, competitor).get_absolute_url())


def _context(request: HttpRequest, competitor: Competitor) -> dict[str, Any]:
    listings = list(competitor.amazon_urls.all())
    for listing in listings:
        listing.competitor = competitor  # with its brand: links need both
    shown = panels.build(competitor.brand, listings, request.user, request.session.get(FOLLOWED, {}))
    live_panels = [panel for panel in shown if panel.live]
    rest = [panel for panel in shown if not panel.live]
    return {
        "competitor": competitor,
        "brand": competitor.brand,
        "panels": shown,
        "live_panels": live_panels,
        "held": sum(panel.spread.held for panel in shown),
        "last_good": panels.last_good(shown),
        "banner": panels.banner(shown),
        "legacy": bool(request.session.get(LEGACY)),
        "paused": bool(request.session.get(PAUSED)),
        "watch": ",".join(f"{panel.live.run.pk}:{panel.live.run.status}" for panel in live_panels if panel.live),
        "sweeps": SWEEPS,
        "primary": panels.most_wanted(rest),
        "may_scrape": request.user.has_perm("competitors.scrape_competitoramazonurl"),
        "may_run_now": request.user.has_perm("pipeline.scrape_run"),
    }


def _watched(text: str) -> dict[int, str]:
    """'481:running,482:pending' as the page was built with; whatever else comes is ignored."""
    watched = {}
    for part in text.split(",")[:MOST_WATCHED]:
        pk, _, status = part.partition(":")
        if pk.isdecimal() and len(pk) < 19:
            watched[int(pk)] = status
    return watched
