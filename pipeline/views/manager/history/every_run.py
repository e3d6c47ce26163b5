"""Every run: the list with its filters, and the same as a file."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ....contract.site.list_files import ListFile, list_export
from ....contract.tally import rows_met
from ....queries.manager.history import bulk_actions
from ....queries.manager.history import every_run as runs_asked
from ....queries.runs import by_whom
from ....states import run_badge
from ...access import needs
from .filter import HistoryFilter

VIEW = "pipeline.view_run"
COLUMNS = [
    "Run",
    "Type",
    "What",
    "Brand",
    "State",
    "By",
    "Queued",
    "Started",
    "Ended",
    "Seconds",
    "New",
    "Changed",
    "Rows",
    "Estimate, $",
    "Cost, $",
    "Result",
]


@require_GET
@needs(VIEW)
def history(request: HttpRequest) -> HttpResponse:
    """Every run, newest first. The filter is in the URL."""
    chosen = HistoryFilter(request.GET, request.user)
    page = runs_asked.history(
        chosen.asked, request.user, before=request.GET.get("before", ""), after=request.GET.get("after", "")
    )
    some = not (chosen.everything or chosen.ignored)
    return render(
        request,
        "pipeline/run_list.html",
        {
            "filter": chosen,
            "form": chosen.form,
            "page": page,
            "tabs": [(one, chosen.url(status=one.name)) for one in page.states],
            "newer": chosen.url(after=page.newer) if page.newer else "",
            "older": chosen.url(before=page.older) if page.older else "",
            "csv": chosen.url(),
            "offers": bulk_actions.offers(chosen.asked, page.found, request.user) if some else [],
            "without_job": chosen.url(job=""),
            "without_subject": chosen.url(subject=""),
        },
    )


@list_export("runs", VIEW)
def history_file(user: Any, query: QueryDict) -> ListFile:
    """All runs that the filter leaves, each tick of a schedule too."""
    asked = HistoryFilter(query, user).asked
    runs, _ = runs_asked.found(asked, user)
    whole = runs_asked.in_order(runs, asked).select_related("job", "brand", "created_by")
    return ListFile("runs.csv", COLUMNS, whole, _cells)


def _cells(run: Any) -> Iterator[Any]:
    counts = run.counts or {}
    took = (run.completed_at - run.started_at).total_seconds() if run.completed_at and run.started_at else None
    yield from (run.pk, run.job_type, run.subject_label or run.job.name, str(run.brand or ""))
    yield run_badge(run.status, verdict=run.verdict, tries_failed=run.attempt).word
    yield from (by_whom(run), run.created_at, run.started_at, run.completed_at, took)
    yield from (counts.get("new"), counts.get("changed"), rows_met(counts))
    yield from (run.cost_estimate, run.cost_actual, run.error_message or run.summary)
