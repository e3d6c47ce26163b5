"""Metrics for Prometheus, read from the database at each scrape: every web process tells the same."""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ...contract.registry import all_types
from ...queries.manager.watch.figures import RESULTS, STATES, Figures, figures
from ...states import Outcome

PREFIX = "controlplane_"


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 while METRICS_TOKEN is not set, 401 without it."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_FromRows())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _FromRows(Collector):
    def describe(self) -> Iterator[Metric]:
        return iter(())  # without it the registry would collect once more, to learn the names

    def collect(self) -> Iterator[Metric]:
        return _families(figures())


def _families(found: Figures) -> Iterator[Metric]:
    names = [one.name for one in all_types()]
    runs = _gauge("runs", "Live runs. due: a worker could take it; later: scheduled, retried or paused.", ["job_type", "state"])
    for name in sorted({*names, *(name for name, _ in found.runs)}):
        for state in STATES:
            runs.add_metric([name, state], found.runs.get((name, state), 0))
    yield runs
    yield _gauge("oldest_due_seconds", "How long the due run that waits longest has waited.", value=found.oldest_due)
    attempts = _gauge("attempts_last_hour", "Attempts that ended within the last hour.", ["outcome"])
    for outcome in Outcome.values:
        attempts.add_metric([outcome], found.attempts.get(outcome, 0))
    yield attempts
    today = _gauge("runs_ended_today", "Runs that ended today, counted once a minute.", ["job_type", "result"])
    for name in sorted({*names, *(name for name, _ in found.today)}):
        for result in RESULTS:
            today.add_metric([name, result], found.today.get((name, result), 0))
    yield today
    spent = _gauge("spent_today_usd", "Spent or reserved since midnight.", ["source"])
    for source, usd in sorted(found.spent.items()):
        spent.add_metric([source], float(usd))
    yield spent
    yield _gauge("spend_limit_usd", "PIPELINE_DAILY_SPEND_LIMIT_USD.", value=float(found.limit))
    subjects = _gauge("subjects", "Subjects whose data is fresh, or needs refreshing.", ["state"])
    subjects.add_metric(["fresh"], found.fresh)
    subjects.add_metric(["stale"], found.stale)
    yield subjects
    workers = _gauge("workers", "Workers that are alive.", ["state"])
    workers.add_metric(["busy"], found.busy)
    workers.add_metric(["idle"], max(found.workers - found.busy, 0))
    yield workers
    yield _gauge("incidents", "Open incidents: failed runs with one cause.", value=found.incidents)
    closed = _gauge("upstream_closed", "Upstream accounts that are down or reject us.", ["source"])
    for source in found.closed:
        closed.add_metric([source], 1)
    yield closed


def _gauge(name: str, words: str, labels: list[str] | None = None, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}{name}", words, labels=labels, value=value)
