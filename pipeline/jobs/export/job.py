"""Makes the CSV file of a large list. Whoever asked for it can save it for a week."""

import hashlib
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, QueryDict
from django.template.defaultfilters import filesizeformat
from django.urls import get_resolver, reverse
from django.utils import timezone

from ...contract.context import Context
from ...contract.errors import Cancelled, PermanentError
from ...contract.job_type import Brought, Done, JobType, Subject
from ...contract.parameters import ParameterForm
from ...contract.registry import job_type
from ...contract.site.incoming import incoming, on_disk
from ...contract.site.list_files import ListExport, ListFile, find_export
from ...contract.source import register_round
from ...models import Brand, Run
from ...people import check_page
from ...words import counted
from . import files

NAME = "export"
PROGRESS_SECONDS = 1
LOOK_SECONDS = 3600  # between two looks for files that are kept no longer


class Parameters(ParameterForm):
    """The frozen request. `person` is part of it: two people never share a file."""

    list = forms.CharField(max_length=100)
    address = forms.JSONField(required=False)
    page = forms.CharField(max_length=1000, label="Address")
    query = forms.CharField(max_length=4000, required=False)
    person = forms.IntegerField()
    name = forms.CharField(max_length=200, label="File")


@job_type(NAME, label="Export", emoji="💾", datasets={}, max_runtime=timedelta(hours=2), internal=True)
class Export(JobType):
    personal = True
    labels = ("name",)
    Params = Parameters

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        url = params["page"] + (f"?{params['query']}" if params["query"] else "")
        return Subject(key=key_of(params["person"], url), label=params["name"], url=url)

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        file = _file(ctx, params)
        keys = file.keys()
        noted, size = time.monotonic(), 0
        with incoming() as target:
            for done, text in file.text(keys):
                ctx.check()
                if ctx.cancelled:
                    raise Cancelled
                with on_disk():
                    size += target.write(text.encode())
                if time.monotonic() > noted + PROGRESS_SECONDS:
                    ctx.progress(done, len(keys), "rows")
                    noted = time.monotonic()
            files.store(ctx.run, target)
        until = timezone.localdate(ctx.now() + files.KEPT)
        words = f"{counted(len(keys), 'row')}, {filesizeformat(size)}. The file is kept until {until:%-d %B}."
        return Done(counts={"exported": len(keys)}, records=len(keys), summary=words.replace("\xa0", " "))

    def brought(self, run: Run) -> Brought | None:
        """Nobody but the person who asked can open it."""
        return Brought(reverse("export_file", args=[run.pk]), "pipeline.view_run", words="file") if files.kept(run) else None


def key_of(person: int, url: str) -> str:
    return hashlib.sha256(f"{person} {url}".encode()).hexdigest()[:40]


def list_of(params: Mapping[str, Any], person: Any, brand: Brand | None) -> tuple[ListExport, dict[str, Any]]:
    """The list, and its address as it is now. PermissionDenied or Http404 unless the person may see it now."""
    if find_export(params["list"]) is None:
        _ = get_resolver().url_patterns  # lists are registered where their addresses are; a worker loads these only now
    export = find_export(params["list"])
    if export is None:
        raise Http404
    address = dict(params["address"] or {})
    if "brand" in address and brand:
        address["brand"] = brand.slug  # it may have been renamed meanwhile
    check_page(person, export.permissions, platform=export.platform, address=address)
    return export, address


def _file(ctx: Context, params: dict[str, Any]) -> ListFile:
    person = ctx.run.created_by
    if person is None or person.pk != params["person"]:
        raise PermanentError("A file is for the person who asked for it. Open the list and export it yourself.")
    try:
        export, address = list_of(params, person, ctx.brand)
        return export.file(person, QueryDict(params["query"]), address)
    except (PermissionDenied, Http404) as error:
        words = str(error) if isinstance(error, PermissionDenied) else ""
        raise PermanentError(f"The list is gone, or no longer open to {person.get_username()}. {words}".strip()) from error


_next_look = 0.0


@register_round
def remove_old_files() -> None:
    global _next_look
    if time.monotonic() >= _next_look:
        _next_look = time.monotonic() + LOOK_SECONDS
        files.remove_old()
