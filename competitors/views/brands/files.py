"""A brand's competitors as a CSV file, and the same file back: a preview that changes nothing, then the import."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django import forms
from django.core import signing
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from competitors.models import Competitor
from pipeline.contract.errors import NotAllowed
from pipeline.models import Brand
from pipeline.views.access import needs
from pipeline.views.csv_export import csv_response

from ..access import get_brand
from . import sheet
from .columns import COLUMNS, Column, exported_by
from .plan import ADD, carry_out, plan

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


@require_GET
@needs("competitors.view_competitor")
def download(request: HttpRequest, brand: str) -> StreamingHttpResponse:
    """Every competitor that is not archived. A competitor with several rows of one kind has several rows in the file."""
    owner = get_brand(brand)
    columns = exported_by(request.user)
    header = [sheet.FIRST, *(column.name for column in columns)]
    return csv_response(f"{owner.slug}-competitors.csv", header, _rows(owner, columns))


@needs("competitors.view_competitor", ADD)
def upload(request: HttpRequest, brand: str) -> HttpResponse:
    """A POST with a file shows what importing it would do. One with the signed text of a preview imports it.

    The report is the answer to the POST: sending it again changes nothing more.
    """
    owner = get_brand(brand)
    context: dict[str, Any] = {"brand": owner, "columns": [sheet.FIRST, *COLUMNS], "form": UploadForm()}
    if request.method == "POST" and "preview" in request.POST:
        return _import(request, owner, context)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    context["form"] = form
    if form.is_bound and owner.closed:
        form.add_error(None, owner.closed)
    if form.is_bound and form.is_valid():
        try:
            found = sheet.parsed(form.text, context["columns"])
        except ValueError as error:
            form.add_error("file", str(error))
        else:
            signed = signing.dumps([str(owner.pk), request.user.pk, form.text], salt=SALT, compress=True)
            context |= {"plan": plan(owner, found, request.user), "sheet": found, "remark": form.remark, "signed": signed}
            return render(request, "competitors/brands/report.html", context)
    return render(request, "competitors/brands/import.html", context, status=422 if form.errors else 200)


def _import(request: HttpRequest, owner: Brand, context: dict[str, Any]) -> HttpResponse:
    try:
        found = sheet.parsed(_signed_text(request, owner), context["columns"])
        context |= {"plan": carry_out(owner, found, request.user), "sheet": found, "done": True}
    except (ValueError, NotAllowed) as error:
        context["refusal"] = str(error)
        return render(request, "competitors/brands/import.html", context, status=422)
    return render(request, "competitors/brands/report.html", context)


def _signed_text(request: HttpRequest, owner: Brand) -> str:
    """The text of the preview. ValueError unless it is this person's, of this brand, and of the last day."""
    try:
        brand, person, text = signing.loads(request.POST["preview"], salt=SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        brand, person, text = None, None, ""
    if (brand, person) != (str(owner.pk), request.user.pk):
        raise ValueError("This preview is too old, or is not yours for this brand. Nothing was imported. Upload the file again.")
    return str(text)


def _rows(brand: Brand, columns: list[Column[Any]]) -> Iterator[list[str]]:
    by_competitor: dict[UUID, list[list[str]]] = defaultdict(lambda: [[] for _ in columns])
    for place, column in enumerate(columns):
        for row in column.rows(brand):
            by_competitor[row.competitor_id][place].append(column.cell(row))
    for competitor in Competitor.objects.filter(brand=brand, archived_at=None):
        lines = list(zip_longest(*by_competitor[competitor.pk], fillvalue="")) or [("",) * len(columns)]
        for cells in lines:
            yield [competitor.name, *cells]
