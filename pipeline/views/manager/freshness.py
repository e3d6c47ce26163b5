"""Freshness: brands by datasets, one cell of that, and how old its data may be."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET, require_http_methods

from ... import api, states
from ...contract.errors import InvalidRequest, NotAllowed
from ...contract.site.notices import pages_needing
from ...models import Brand, MaxAge
from ...people import brands_for, may
from ...queries.freshness import WORST, BrandRow, Dataset, OpenCell, datasets, matrix, needing_attention, open_cell
from ...words import days
from ..access import needs, see_other
from ..live import fragment

PAGE = 25  # brands
EVERY, ATTENTION = "", "attention"
AGES = [timedelta(hours=6), timedelta(hours=12), *(timedelta(days=count) for count in (1, 2, 3, 7, 14, 30))]


class FreshnessFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label="Brand", widget=forms.SearchInput)
    dataset = forms.ChoiceField(required=False)
    show = forms.ChoiceField(required=False, choices=[(EVERY, "Everything"), (ATTENTION, "What needs attention")])

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        known = sorted((one.label, key) for key, one in datasets().items())
        self.fields["dataset"].choices = [("", "All data"), *((key, label) for label, key in known)]  # type: ignore[attr-defined]


@dataclass
class Shown:
    """One page of the matrix, as the address asks for it. `query`: the filters, without the page."""

    form: FreshnessFilter
    columns: list[Dataset]
    rows: list[BrandRow]
    page: Page[Any]
    query: dict[str, str]
    ignored: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return urlencode(self.query | ({"page": str(self.page.number)} if self.page.number > 1 else {}))

    @property
    def filters(self) -> str:
        """The beginning of another page's query."""
        return f"{urlencode(self.query)}&" if self.query else ""

    @property
    def brands(self) -> dict[Any, Brand | None]:
        return {row.brand.pk if row.brand else None: row.brand for row in self.rows}


def shown(request: HttpRequest) -> Shown:
    """The brands that are open to the person, by name; the platform comes first. Archived ones have nothing to refresh."""
    form = FreshnessFilter(request.GET or None)
    form.is_valid()
    values = getattr(form, "cleaned_data", {})
    words, key, number = values.get("q", ""), values.get("dataset", ""), request.GET.get("page", "1")
    opened, known = brands_for(request.user), datasets()
    columns = [known[key]] if key else sorted(known.values(), key=lambda one: one.types[0].label)
    brands = opened.rows().filter(archived_at=None).order_by("name", "pk")
    for word in words.split():
        brands = brands.filter(name__alike=word)
    platform: dict[Any, Brand | None] = {None: None} if opened.platform and not words else {}
    if values.get("show") == ATTENTION:
        every = platform | {brand.pk: brand for brand in brands}
        found = needing_attention(every, columns)
        page: Page[Any] = Paginator([pk for pk in every if pk in found], PAGE).get_page(number)
        rows = matrix({pk: every[pk] for pk in page}, columns)
    else:
        page = Paginator(brands, PAGE).get_page(number)
        rows = matrix((platform if page.number == 1 else {}) | {brand.pk: brand for brand in page}, columns)
        rows = [row for row in rows if row.brand or any(row.cells)]
    ignored = [
        f"{form.fields[name].label or name.capitalize()}: {' '.join(map(str, wrong))}" for name, wrong in form.errors.items()
    ]
    return Shown(form, columns, rows, page, {name: value for name, value in values.items() if value}, ignored)


@require_GET
@needs("pipeline.view_run")
def freshness(request: HttpRequest) -> HttpResponse:
    """How old each dataset of each brand is."""
    return render(request, "pipeline/manager/freshness.html", _context(request))


@require_GET
@needs("pipeline.view_run")
def freshness_live(request: HttpRequest) -> HttpResponse:
    """The matrix alone."""
    return fragment(request, "pipeline/manager/_matrix.html", lambda: _context(request), shared=True)


def _context(request: HttpRequest) -> dict[str, Any]:
    found = shown(request)
    cells = [cell for row in found.rows for cell in row.cells if cell]
    return {
        "shown": found,
        "sentence": _sentence(Counter(cell.badge for cell in cells)),
        "old": sum(cell.badge in (states.STALE, states.LATE) for cell in cells),
        "legend": LEGEND,
    }


LEGEND = (
    (states.FRESH, "young enough"),
    (states.LATE, "older than expected, or skipped three times"),
    (states.RETRY, "failed, tries again by itself"),
    (states.ON_TRACK, "late, ready in time"),
    (states.RUNNING, "being fetched"),
    (states.STALE, "needs you"),
    (states.NEVER, "no success yet"),
)


def _sentence(counts: Counter[states.Badge]) -> str:
    """'2 stale, 1 late, 40 fresh.'"""
    total = counts.total()
    if not total:
        return ""
    if counts[states.FRESH] == total:
        return "All fresh."
    return ", ".join(f"{counts[badge]} {badge.word.lower()}" for badge in WORST if counts[badge]) + "."


class AgeForm(forms.Form):
    """`seen`: what counted when the page was built, in seconds; '' for what the job type says."""

    max_age = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        label="Expected at least every",
        widget=forms.Select(attrs={"class": "control--s auto"}),
    )
    seen = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, widget=forms.HiddenInput)

    def __init__(self, *args: Any, dataset: Dataset, own: MaxAge | None, **kwargs: Any):
        now = own.max_age if own else None
        super().__init__(*args, **kwargs)
        self.initial = dict.fromkeys(("max_age", "seen"), _seconds(now))
        known = {*AGES, *(age for age in (now, own.before if own else None) if age)}
        choices = [("", f"{days(dataset.max_age)} (usual)"), *((_seconds(age), days(age)) for age in sorted(known))]
        for name in ("max_age", "seen"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]


def _seconds(age: timedelta | None) -> str:
    """As a form sends it."""
    return "" if age is None else str(int(age.total_seconds()))


@require_http_methods(["GET", "HEAD", "POST"])
def of_brand(request: HttpRequest, brand: str, dataset: str) -> Any:
    """One dataset of one brand. POST sets how old it may be."""
    return needs("pipeline.change_maxage" if request.method == "POST" else "pipeline.view_run")(_of_brand)(
        request, brand=brand, dataset=dataset
    )


@require_http_methods(["GET", "HEAD", "POST"])
def of_platform(request: HttpRequest, dataset: str) -> Any:
    """The same of no single brand."""
    permission = "pipeline.change_maxage" if request.method == "POST" else "pipeline.view_run"
    return needs(permission, platform=True)(_of_platform)(request, dataset=dataset)


def _of_brand(request: HttpRequest, brand: str, dataset: str) -> HttpResponse:
    return _one(request, get_object_or_404(Brand, slug=brand), dataset)


def _of_platform(request: HttpRequest, dataset: str) -> HttpResponse:
    return _one(request, None, dataset)


def _one(request: HttpRequest, brand: Brand | None, key: str) -> HttpResponse:
    dataset = datasets().get(key)
    if dataset is None:
        raise Http404
    cell = open_cell(brand, dataset)
    form = AgeForm(request.POST or None, dataset=dataset, own=cell.own)
    if request.method == "POST":
        _save(request, form, cell)
        return see_other(request.path)
    of = {"brand": brand.slug} if brand else {}
    return render(
        request,
        "pipeline/manager/freshness_cell.html",
        {
            "open": cell,
            "form": form,
            "may_change": may(request.user, "pipeline.change_maxage", brand.pk if brand else None),
            "undo": {"max_age": _seconds(cell.own.before), "seen": _seconds(cell.own.max_age)} if cell.own else None,
            "max_age": days(cell.max_age),
            "before": days((cell.own.before if cell.own else None) or dataset.max_age),
            "refresh": urlencode((of or {"platform": "1"}) | {"dataset": key}),
            "fed_by": [(one, urlencode({"job_type": one.name} | of)) for one in dataset.types],
            "needed_by": [(page.title, _address(page.url_name, brand)) for page in pages_needing(key)],
        },
    )


def _save(request: HttpRequest, form: AgeForm, cell: OpenCell) -> None:
    if not form.is_valid():
        messages.error(request, "Not saved. Choose one of the ages.")
        return
    given = (form.cleaned_data[name] for name in ("max_age", "seen"))
    age, seen = (None if value is None else timedelta(seconds=value) for value in given)
    try:
        api.set_max_age(cell.dataset.key, cell.brand.pk if cell.brand else None, age, request.user, seen=seen)
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
        return
    messages.success(request, f"{cell.dataset.label}: expected at least every {days(age or cell.dataset.max_age)} from now on.")


def _address(url_name: str, brand: Brand | None) -> str:
    """'' for a page that needs more than the brand in its address: its subjects lead there."""
    for given in ({}, {"brand": brand.slug} if brand else {}):
        try:
            return reverse(url_name, kwargs=given)
        except NoReverseMatch:
            continue
    return ""
