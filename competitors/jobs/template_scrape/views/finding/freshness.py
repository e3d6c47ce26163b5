"""How old what was found is, as the banner of the Template Queue says it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from competitors.views.requirements import Fix, shown
from pipeline import queries
from pipeline.contract import get_type
from pipeline.models import DatasetStatus, Job

from ...job import DATASET, NAME
from ...service import Search

LEGACY = "templates_legacy"  # session key: scrapes run on the web server
Row = dict[str, Any]


def freshness(request: HttpRequest, page: str) -> Row:
    """The banner of the scheduled searches; without one, of the search that ran last."""
    handler = get_type(NAME)
    wanted = {subject.key: subject.label for subject in handler.subjects(None)}
    if not wanted:
        last = DatasetStatus.objects.filter(dataset_key=DATASET, brand=None, last_run__isnull=False).order_by("-last_attempt_at")
        wanted = {one.subject: one.last_run.subject_label for one in last.select_related("last_run")[:1] if one.last_run}
    if not wanted:
        return {"banner": None, "last_good": None, "legacy": bool(request.session.get(LEGACY))}
    fresh = queries.freshness(DATASET, None, list(wanted), max_age=handler.max_age)
    live = queries.live_rows(NAME, None, list(wanted), user=request.user, known={})
    parameters = {key: _parameters(key) for key in wanted}
    states = []
    for key, label in wanted.items():
        known = parameters[key]
        estimate = handler.estimate(None, known) if known else None
        states.append(queries.SubjectState(key, label, fresh[key], live.get(key), estimate.cost_usd if estimate else None))
    good = [row.status.last_success_at for row in fresh.values() if row.status and row.status.last_success_at]
    legacy = {"legacy": "on"} if request.session.get(LEGACY) else {}
    url, here = reverse("template_ingest"), reverse(page)
    fixes = {key: Fix(wanted[key], url, here, known | legacy) for key, known in parameters.items() if known}
    return shown(page, states, fixes) | {
        "legacy": bool(legacy),
        "last_good": max(good, default=None),
        "may_run_now": request.user.has_perm("pipeline.scrape_run"),
    }


def _parameters(key: str) -> Row | None:
    """Those of the search's schedule, else of its last run."""
    jobs = Job.objects.filter(job_type=NAME, brand=None, subject=key).order_by("-schedule_type", "-pk")  # recurring first
    job = jobs.first()
    return dict(job.parameters) if job and Search.of(job.parameters).key == key else None
