"""What was decided: the library of approved templates, the rejected and the archived ones, and a CSV file of each list."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from pipeline.contract import ListFile, list_export
from pipeline.views.access import needs

from . import frame
from .frame import OF_STATUS
from .pictures import with_pictures
from .template_filter import LibraryFilter

PAGE_SIZE = 24
COLUMNS = {  # column of the file -> column of the row
    "id": "id",
    "name": "name",
    "category": "category__name",
    "niche": "niche__name",
    "made_for": "target_sex",
    "awareness": "awareness",
    "sales_event": "sales_event",
    "decided_by": "reviewed_by__username",
    "decided_at": "reviewed_at",
    "kind": "media__kind",
    "sha256": "media__sha256",
    "ad_archive_id": "library_ad__ad_archive_id",
    "page_name": "library_ad__page_name",
    "title": "library_ad__title",
    "body": "library_ad__body",
    "link_url": "library_ad__link_url",
}


@needs(frame.VIEW, platform=True)
def templates(request: HttpRequest, status: str) -> HttpResponse:
    """Filter, order and page are in the address."""
    asked = LibraryFilter(status, request.GET)
    sheet = asked.sheet(asked.rows(), PAGE_SIZE)
    label, address = OF_STATUS[frame.Status(status)]
    context = frame.frame(request, address) | {
        "tab": {"label": label},
        "status": status,
        "csv": reverse(f"{address}_csv"),
        "filter": asked,
        "sheet": sheet,
        "cards": with_pictures(sheet),
        "here": request.get_full_path(),
    }
    return render(request, "competitors/template_scrape/library.html", context)


@list_export("templates", frame.VIEW, platform=True)
def templates_file(user: Any, query: QueryDict, status: str) -> ListFile:
    """All that the list at this address shows, on all its pages."""
    rows = LibraryFilter(status, query).rows().values_list(*COLUMNS.values())
    return ListFile(f"templates-{status}.csv", list(COLUMNS), rows)
