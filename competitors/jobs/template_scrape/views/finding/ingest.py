"""The tab that finds ads: a search with its cost, the last runs, and how old what was found is."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from competitors.views.requirements import Fix, shown
from competitors.views.subjects import scrape
from pipeline import queries
from pipeline.contract import Estimate, get_type
from pipeline.models import DatasetStatus, Job, Run
from pipeline.people import can_words
from pipeline.states import LIVE
from pipeline.views.access import needs, see_other
from pipeline.views.live import fragment

from ...job import DATASET, NAME
from ...service import Search
from .. import frame

LEGACY = "templates_legacy"  # session key: scrapes run on the web server
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
    return fragment(request, "competitors/template_scrape/_runs.html", _runs(request))


def _show(request: HttpRequest, form: Any, *, estimate: Estimate | None, status: int = 200) -> HttpResponse:
    may_scrape = request.user.has_perm(frame.SCRAPE)
    context = frame.frame(request, PAGE) | {
        "form": form,
        "legacy": bool(request.session.get(LEGACY)),
        "before": queries.before_the_click(NAME, None, request.user),
        "lacking": "" if may_scrape else can_words(frame.SCRAPE),
        **_price(estimate),
        **_runs(request),
        **_freshness(request),
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


def _freshness(request: HttpRequest) -> Row:
    """The banner of the scheduled searches; without one, of the search that ran last."""
    handler = get_type(NAME)
    wanted = {subject.key: subject.label for subject in handler.subjects(None)}
    if not wanted:
        last = DatasetStatus.objects.filter(dataset_key=DATASET, brand=None, last_run__isnull=False).order_by("-last_attempt_at")
        wanted = {one.subject: one.last_run.subject_label for one in last.select_related("last_run")[:1] if one.last_run}
    if not wanted:
        return {"banner": None, "last_good": None}
    fresh = queries.freshness(DATASET, None, list(wanted), max_age=handler.max_age)
    live = queries.live_rows(NAME, None, list(wanted), user=request.user, known={})
    parameters = {key: _parameters(key) for key in wanted}
    states = []
    for key, label in wanted.items():
        known = parameters[key]
        estimate = handler.estimate(None, known) if known else None
        states.append(queries.SubjectState(key, label, fresh[key], live.get(key), estimate.cost_usd if estimate else None))
    good = [row.status.last_success_at for row in fresh.values() if row.status and row.status.last_success_at]
    here, legacy = reverse(PAGE), {"legacy": "on"} if request.session.get(LEGACY) else {}
    fixes = {key: Fix(wanted[key], here, here, known | legacy) for key, known in parameters.items() if known}
    return shown(PAGE, states, fixes) | {
        "last_good": max(good, default=None),
        "may_run_now": request.user.has_perm("pipeline.scrape_run"),
    }


def _parameters(key: str) -> Row | None:
    """Those of the search's schedule, else of its last run."""
    jobs = Job.objects.filter(job_type=NAME, brand=None, subject=key).order_by("-schedule_type", "-pk")  # recurring first
    job = jobs.first()
    return dict(job.parameters) if job and Search.of(job.parameters).key == key else None
