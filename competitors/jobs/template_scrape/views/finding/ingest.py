"""The tab that finds ads: a search with its cost, the last runs, and how old what was found is."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from competitors.views.subjects import scrape
from pipeline import queries
from pipeline.contract import Estimate, get_type
from pipeline.models import Job, Run
from pipeline.people import can_words
from pipeline.states import LIVE
from pipeline.views.access import needs, see_other
from pipeline.views.live import fragment

from ...job import NAME
from .. import frame
from .freshness import LEGACY, freshness

RUNS = 5
PAGE = "template_ingest"
Row = dict[str, Any]


@needs(frame.VIEW, platform=True)
def ingest(request: HttpRequest) -> HttpResponseBase:
    """GET shows the form, with what the address has of it. POST starts the scrape."""
    handler = get_type(NAME)
    if request.method == "POST":
        return _start(request)
    given = {name: request.GET[name] for name in handler.Params.base_fields if name in request.GET}
    form = handler.Params(brand=None, initial=given, auto_id="ingest_%s")
    return _show(request, form, estimate=_estimate({"max_ads": given.get("max_ads")}))


@needs(frame.SCRAPE)
def _start(request: HttpRequest) -> HttpResponse:
    handler = get_type(NAME)
    sent = {name: field.widget.value_from_datadict(request.POST, {}, name) for name, field in handler.Params.base_fields.items()}
    form = handler.Params(sent, brand=None, auto_id="ingest_%s")
    legacy = request.session[LEGACY] = "legacy" in request.POST
    if not form.is_valid():
        return _show(request, form, estimate=_estimate(sent), status=422)
    options = {name: value for name, value in form.cleaned_data.items() if name != "search_url"}
    scrape.start(request, None, NAME, form.cleaned_data, options=options, work="Template scrape", legacy=legacy)
    return see_other(reverse(PAGE))


@require_GET
@needs(frame.VIEW, platform=True)
def price(request: HttpRequest) -> HttpResponse:
    """What a scrape with the sent options is expected to cost and take: a few words for beside the button."""
    return render(request, "competitors/_price.html", _price(_estimate(request.GET)))


@require_GET
@needs(frame.VIEW, platform=True)
def live(request: HttpRequest) -> HttpResponse:
    """The last runs, while one of them is live."""
    return fragment(request, "competitors/template_scrape/_runs.html", lambda: _runs(request))


def _show(request: HttpRequest, form: Any, *, estimate: Estimate | None, status: int = 200) -> HttpResponse:
    may_scrape = request.user.has_perm(frame.SCRAPE)
    context = frame.frame(request, PAGE) | {
        "form": form,
        "before": queries.before_the_click(NAME, None, request.user),
        "lacking": "" if may_scrape else can_words(frame.SCRAPE),
        **_price(estimate),
        **_runs(request),
        **freshness(request, PAGE),
    }
    return render(request, "competitors/template_scrape/ingest.html", context, status=status)


def _estimate(sent: Any) -> Estimate | None:
    """Of what was typed so far: the search need not be there yet."""
    url = get_type(NAME).Params.base_fields["search_url"]
    try:
        known = url.clean(sent.get("search_url") or "")
    except ValidationError:
        known = ""
    return get_type(NAME).estimate(None, {"search_url": known, "max_ads": sent.get("max_ads")})


def _price(estimate: Estimate | None) -> Row:
    over = queries.over_the_limit(estimate.cost_usd, queries.spent_today()) if estimate else ""
    return {"estimate": estimate, "notes": [words for words in (over, *queries.price_now(NAME).notes) if words]}


def _runs(request: HttpRequest) -> Row:
    """The last one-time runs, of whatever search."""
    asked = Run.objects.for_rows().filter(job_type=NAME, brand=None, job__schedule_type=Job.Schedule.ONE_TIME)
    rows = queries.run_rows(asked.order_by("-pk")[:RUNS], request.user)
    return {"runs": rows, "live": any(row.run.status in LIVE for row in rows)}
