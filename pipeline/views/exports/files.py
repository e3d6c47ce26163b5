"""The files that runs made for a person: their list, and each of them."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from ...jobs.export import files
from ...jobs.export.job import NAME, frozen_brands, list_of
from ...models import Run
from ...people import brands_for
from ...queries.runs import RunRow, run_row
from ...states import RunStatus
from ..access import needs
from ..person.audit import MADE_BY

SHOWN = 50


@dataclass(frozen=True)
class FileRow:
    row: RunRow
    ready: bool
    run_is_open: bool  # whether the person may see the run's page


@require_safe
@needs()
def exports(request: HttpRequest) -> HttpResponse:
    """One's own files of the last week, and those that are being made."""
    return render(request, "pipeline/exports/files.html", {"rows": rows_of(request.user)})


@require_safe
@needs()
def export_file(request: HttpRequest, pk: int) -> FileResponse:
    """Only for the person who asked, while they may still see the list."""
    run = get_object_or_404(Run.objects.select_related("brand"), pk=pk, job_type=NAME)
    if run.created_by_id != request.user.pk:
        if run.brand_id not in brands_for(request.user):
            raise Http404
        raise PermissionDenied("A file is for the person who asked for it. Open the list and export it yourself.")
    list_of(run.parameters, request.user, run.brand)
    if not brands_for(request.user).covers(frozen_brands(run.parameters)):
        raise PermissionDenied("The file was made when more brands were open to you. Open the list and export it again.")
    file = files.opened(run)
    if file is None:
        raise Http404("The file is not there yet, or was removed after a week. Open the list and export it again.")
    answer = FileResponse(file, as_attachment=True, filename=run.parameters["name"], content_type="text/csv; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-store"
    setattr(answer, MADE_BY, run)
    return answer


def rows_of(user: Any, **narrow: Any) -> list[FileRow]:
    """The newest first."""
    recent = Q(completed_at=None) | Q(completed_at__gt=timezone.now() - files.KEPT)
    runs = Run.objects.for_rows().filter(recent, job_type=NAME, created_by=user, **narrow).order_by("-pk")[:SHOWN]
    brands = brands_for(user)
    return [FileRow(run_row(run, user), run.status == RunStatus.COMPLETED, run.brand_id in brands) for run in runs]
