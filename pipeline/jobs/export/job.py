"""Makes the CSV file of a large list. Whoever asked for it can save it for a week."""

import hashlib
import time
from collections.abc import Mapping, Sized
from datetime import timedelta
from typing import Any
from uuid import UUID

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
from ...people import Brands, brands_for, check_page
from ...words import counted
from . import files

NAME = "export"
PROGRESS_SECONDS = 1
LOOK_SECONDS = 3600  # between two looks for files that are kept no longer


class Parameters(ParameterForm):
    """The frozen request. `person` is part of it: two people never share a file. `brands`: whose rows may be in the file."""

    list = forms.CharField(max_length=100)
    address = forms.JSONField(required=False)
    page = forms.CharField(max_length=1000, label="Address")
    query = forms.CharField(max_length=4000, required=False)
    person = forms.IntegerField()
    brands = forms.JSONField(required=False)
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
        total = len(keys) if isinstance(keys, Sized) else None
        noted, size, done = time.monotonic(), 0, 0
        with incoming() as target:
            for done, text in file.text(keys):
                ctx.check()
                if ctx.cancelled:
                    raise Cancelled
                with on_disk():
                    size += target.write(text.encode())
                if time.monotonic() > noted + PROGRESS_SECONDS:
                    ctx.progress(done, total, "rows")
                    noted = time.monotonic()
            files.store(ctx.run, target)
        until = timezone.localdate(ctx.now() + files.KEPT)
        words = f"{counted(done, 'row')}, {filesizeformat(size)}. The file is kept until {until:%-d %B}."
        return Done(counts={"exported": done}, records=done, summary=words.replace("\xa0", " "))

    def brought(self, run: Run) -> Brought | None:
        """Nobody but the person who asked can open it."""
        return Brought(reverse("export_file", args=[run.pk]), "pipeline.view_run", words="file") if files.kept(run) else None


def key_of(person: int, url: str) -> str:
    return hashlib.sha256(f"{person} {url}".encode()).hexdigest()[:40]


def brands_in(person: Any, brand: Brand | None) -> Brands:
    """Whose rows are in a file that is made now. `brand`: of the list, if it is of one."""
    return Brands(frozenset([brand.pk]), platform=False) if brand else brands_for(person)


def frozen(brands: Brands) -> dict[str, Any] | None:
    return None if brands.ids is None else {"ids": sorted(map(str, brands.ids)), "platform": brands.platform}


def frozen_brands(params: Mapping[str, Any]) -> Brands:
    """Every brand too if the file does not say it, as old ones do not."""
    said = params.get("brands")
    return Brands(frozenset(map(UUID, said["ids"])), said["platform"]) if said else Brands(None, platform=True)


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
        if not frozen_brands(params).covers(brands_in(person, ctx.brand)):
            words = f"More brands are open to {person.get_username()} than when the file was asked for."
            raise PermanentError(f"{words} Open the list and export it again.")
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
