"""Brands and their competitors as a CSV file, of one brand or of all, and the same file back: a preview, then the import."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django import forms
from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from competitors.models import Competitor
from pipeline.contract import ListFile, list_export
from pipeline.contract.errors import NotAllowed
from pipeline.models import Brand
from pipeline.people import brands_for
from pipeline.views.access import needs

from ...access import get_brand
from . import of_brand, sheet  # noqa: F401  of_brand registers its columns
from .columns import COLUMNS, Column, exported_by, names_of
from .planner import ADD, BRAND, COMPETITOR, TIME_ZONE, carry_out, plan

SALT = "competitors.import"
KEPT_SECONDS = 24 * 3600  # how long a preview can be imported


class UploadForm(forms.Form):
    file = forms.FileField(
        label="CSV file",
        help_text=f"At most {sheet.MOST_ROWS:,} rows and {sheet.MOST_BYTES // 1000} KB. Commas, semicolons or tabs.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
    )
    text, remark = "", ""

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > sheet.MOST_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {sheet.MOST_BYTES // 1000} KB. Split it, then import each part."
            )
        try:
            self.text, self.remark = sheet.decoded(file.read())
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return file


@list_export("brands", "competitors.view_competitor")
def brands_file(user: Any, query: QueryDict, brand: str = "") -> ListFile:
    """A brand, or every open one, with all that is not archived. What there are several of takes several rows."""
    only = get_brand(brand) if brand else None
    brands = [only] if only else list(brands_for(user).rows().filter(archived_at=None).order_by("name"))
    columns = exported_by(user)
    header = _known(columns, only)
    name = f"{only.slug}-competitors.csv" if only else "brands.csv"
    return ListFile(name, header, list(_rows(brands, columns, only)), lambda row: [row.get(one, "") for one in header])


@needs("competitors.view_competitor", ADD)
def upload(request: HttpRequest, brand: str = "") -> HttpResponse:
    """A POST with a file shows what importing it would do. One with the signed text of a preview imports it.

    The report is the answer to the POST: sending it again changes nothing more. Without a brand, each row names its own.
    """
    owner = get_brand(brand) if brand else None
    context: dict[str, Any] = {"brand": owner, "columns": _known(COLUMNS.values(), owner), "form": UploadForm()}
    if request.method == "POST" and "preview" in request.POST:
        return _import(request, owner, context)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    context["form"] = form
    if form.is_bound and owner and owner.closed:
        form.add_error(None, owner.closed)
    if form.is_bound and form.is_valid():
        try:
            found = _read(form.text, context["columns"], owner)
        except ValueError as error:
            form.add_error("file", str(error))
        else:
            signed = signing.dumps([_place(owner), request.user.pk, form.text], salt=SALT, compress=True)
            context |= {"plan": plan(found, request.user, owner), "sheet": found, "remark": form.remark, "signed": signed}
            return render(request, "competitors/brands/report.html", context)
    return render(request, "competitors/brands/import.html", context, status=422 if form.errors else 200)


def _import(request: HttpRequest, owner: Brand | None, context: dict[str, Any]) -> HttpResponse:
    try:
        found = _read(_signed_text(request, owner), context["columns"], owner)
        context |= {"plan": carry_out(found, request.user, owner), "sheet": found, "done": True}
    except (ValueError, NotAllowed) as error:
        context["refusal"] = str(error)
        return render(request, "competitors/brands/import.html", context, status=422)
    return render(request, "competitors/brands/report.html", context)


def _known(columns: Iterable[Column[Any]], only: Brand | None) -> list[str]:
    """The columns of a file, in its order. One of all brands begins with their names."""
    return [*([] if only else [BRAND]), COMPETITOR, *names_of(columns), TIME_ZONE]


def _read(text: str, columns: list[str], only: Brand | None) -> sheet.Sheet:
    found = sheet.parsed(text, columns)
    if only and BRAND in map(sheet.column_name, found.unknown):
        raise ValueError(f"The file has a column “{BRAND}”. Import it on the page of all brands, or take the column out.")
    return found


def _place(only: Brand | None) -> str:
    return str(only.pk) if only else ""


def _signed_text(request: HttpRequest, owner: Brand | None) -> str:
    """The text of the preview. ValueError unless it is this person's, of this page, and of the last day."""
    try:
        brand, person, text = signing.loads(request.POST["preview"], salt=SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        brand, person, text = None, None, ""
    if (brand, person) != (_place(owner), request.user.pk):
        raise ValueError("This preview is too old, or is not yours for this page. Nothing was imported. Upload the file again.")
    return str(text)


def _rows(brands: list[Brand], columns: list[Column[Any]], only: Brand | None) -> Iterator[dict[str, str]]:
    """For each brand a row with what it has itself, then its competitors."""
    cells: dict[Any, list[list[dict[str, str]]]] = defaultdict(lambda: [[] for _ in columns])  # by owner
    for place, column in enumerate(columns):
        for row in column.rows(brands):
            cell = {column.name: column.cell(row), column.beside: column.cell_beside(row)}
            cells[getattr(row, f"{column.owner}_id")][place].append(cell)
    competitors: dict[UUID, list[Competitor]] = defaultdict(list)
    for competitor in Competitor.objects.filter(brand__in=brands, archived_at=None):
        competitors[competitor.brand_id].append(competitor)
    for brand in brands:
        named = {} if only else {BRAND: brand.name}
        own = _side_by_side([*cells[brand.pk], [{TIME_ZONE: brand.time_zone}] if brand.time_zone else []])
        yield from (named | row for row in own or ([{}] if named else []))
        for competitor in competitors[brand.pk]:
            for row in _side_by_side(cells[competitor.pk]) or [{}]:
                yield named | {COMPETITOR: competitor.name} | row


def _side_by_side(lists: list[list[dict[str, str]]]) -> list[dict[str, str]]:
    """The first of each list in one row, then the second of each."""
    return [{name: text for cell in cells for name, text in cell.items()} for cells in zip_longest(*lists, fillvalue={})]
