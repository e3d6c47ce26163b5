"""A list as a CSV file. A small one is sent at once and whole: no thread waits for its reader. A run makes a large one."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from ... import api
from ...contract.errors import InvalidRequest, NotAllowed
from ...contract.site.list_files import ListExport, ListFile
from ...contract.site.turns import Turns
from ...jobs.export.job import NAME, brands_in, frozen, key_of
from ...models import Brand, Run
from ..access import View, needs, see_other
from .files import rows_of

AT_ONCE = 5_000  # rows
BYTES_AT_ONCE = 8_000_000  # below what waitress takes from a thread without waiting for the reader
AT_A_TIME = 2  # exports of one person
TOO_MANY = f"{AT_A_TIME} exports of yours are being made. Wait until one is done, then try again."
BUSY = "Several exports are being made. Wait a moment, then try again."
TURNS = Turns(3, of_one=AT_A_TIME)  # of those that are sent at once


def csv_view(export: ListExport) -> View:
    """The view for the list's address. GET sends the file, or a page that offers to make it; POST has a run make it."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @needs(*export.permissions, platform=export.platform)
    def view(request: HttpRequest, **address: Any) -> HttpResponse:
        person: Any = request.user
        file = export.file(person, request.GET, address)
        if request.method == "POST":
            return _queue(request, export, file, address)
        with TURNS.turn(person.pk) as free:
            content = _small(file) if free else b""
        if not free:
            return _page(request, file, refusal=BUSY, status=429)
        if content is None:
            return _page(request, file)
        attachment = f'attachment; filename="{file.name}"'
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": attachment})

    return view


def _small(file: ListFile) -> bytes | None:
    """The whole file; None if it is large."""
    keys = list(file.keys(AT_ONCE + 1))
    if len(keys) > AT_ONCE:
        return None
    content = bytearray()
    for _, text in file.text(keys):
        content += text.encode()
        if len(content) > BYTES_AT_ONCE:
            return None
    return bytes(content)


def _page(request: HttpRequest, file: ListFile, *, refusal: str = "", status: int = 200) -> HttpResponse:
    person: Any = request.user
    here = request.get_full_path()
    context = {
        "name": file.name,
        "here": here,
        "most": AT_ONCE,
        "refusal": refusal,
        "rows": rows_of(person, subject=key_of(person.pk, here)),
    }
    return render(request, "pipeline/exports/large.html", context, status=status)


def _queue(request: HttpRequest, export: ListExport, file: ListFile, address: Mapping[str, Any]) -> HttpResponse:
    person: Any = request.user
    here = request.get_full_path()
    live = list(Run.objects.live().filter(job_type=NAME, created_by=person).values_list("subject", flat=True))
    if len(live) >= AT_A_TIME and key_of(person.pk, here) not in live:
        return _page(request, file, refusal=TOO_MANY, status=429)
    brand = Brand.objects.filter(slug=address["brand"]).first() if "brand" in address else None
    parameters = {
        "list": export.name,
        "address": {name: value if isinstance(value, int) else str(value) for name, value in address.items()},
        "page": request.path,
        "query": request.META.get("QUERY_STRING", ""),
        "person": person.pk,
        "brands": frozen(brands_in(person, brand)),
        "name": file.name,
    }
    try:
        api.queue_one_time_job(brand.pk if brand else None, NAME, parameters, created_by=person)
    except (NotAllowed, InvalidRequest) as error:
        return _page(request, file, refusal=str(error), status=409)
    messages.success(request, f"{file.name} is being made. You find it here and among your files when it is done.")
    return see_other(here)
