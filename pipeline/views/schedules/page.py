"""Tab Schedules: when each job type runs by itself, for a brand or for the platform, and the week ahead."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from ... import api, queries
from ...contract.errors import InvalidRequest, NotAllowed
from ...models import Brand, ScheduleRule
from ...people import brands_for, can_words, may, may_spend, platform_words
from ..access import needs, see_other
from .form import OFF, RuleForm

VIEW, CHANGE = "pipeline.view_job", "pipeline.change_job"
TEMPLATE = "pipeline/manager/schedules/page.html"
PARAMETER = "parameter"  # prefix of a type's own fields
SHOWN_SUBJECTS = 500  # in the list to choose from: of more, all
GONE = "There is no such job type here. Reload the page."
AT_FIELD = {"cadence": "every", "cron_expression": "cron"}  # where the api's word for a value is another than the form's


class RowForms:
    """The forms of one row: its schedule, and the options of its job type."""

    def __init__(self, row: queries.TypeRow, data: QueryDict | None = None):
        self.row = row
        rule, name = row.rule, row.handler.name
        initial = RuleForm.values_of(rule.cadence) if rule and rule.cadence else {"every": OFF}
        if rule:
            initial |= {
                "enabled": rule.enabled,
                "which": "all" if rule.every_subject else "chosen",
                "subjects": rule.subjects,
                "time_zone": rule.time_zone,
                "max_runs": rule.max_runs,
            }
        self.form = RuleForm(data, initial=initial, auto_id=f"{name}_%s")
        keys = [(subject.key, subject.label or subject.key) for subject in row.subjects[:SHOWN_SUBJECTS]]
        self.form.fields["subjects"].choices = keys  # type: ignore[attr-defined]
        for one in self.form.fields.values():
            one.widget.attrs["form"] = f"row-{name}"
        saved = rule.parameters if rule else {}
        self.params = row.handler.Params(data, brand=row.brand, initial=saved, prefix=PARAMETER, auto_id=f"{name}_%s")
        if data is not None:
            self._judge_options()

    @property
    def options(self) -> list[forms.BoundField]:
        found = [self.params[name] for name in self.row.options]
        for one in found:
            one.field.widget.attrs["form"] = f"row-{self.row.handler.name}"
        return found

    @property
    def chosen(self) -> dict[str, Any]:
        """The options as the form sent them: an unchecked box is off, a missing field keeps its default."""
        fields = self.params.fields
        sent = {
            name: fields[name].widget.value_from_datadict(self.params.data, {}, f"{PARAMETER}-{name}")
            for name in self.row.options
        }
        return {name: value for name, value in sent.items() if value is not None}

    def refused(self, error: InvalidRequest) -> None:
        """Each wrong value's sentence stands at its field."""
        for name, words in (error.errors or {"": [str(error)]}).items():
            place = AT_FIELD.get(name, name)
            if place in self.form.fields:
                self.form.add_error(place, words)
            elif name in self.row.options:
                self.params.add_error(name, words)
            else:
                self.form.add_error(None, words)

    def _judge_options(self) -> None:
        """The fields that name a subject are not asked for here: what is wrong with them says nothing."""
        self.params.full_clean()
        for name in [name for name in self.params.errors if name not in self.row.options]:
            del self.params.errors[name]

    @property
    def wrong(self) -> bool:
        return bool(self.form.errors or self.params.errors)

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """Id of the field, its label and what is wrong."""
        found = [("", "", str(words)) for words in self.form.non_field_errors()]
        for one in [*self.form, *self.options]:
            found += [(one.id_for_label, str(one.label), str(words)) for words in one.errors]
        return found


@require_GET
@needs(VIEW)
def schedules(request: HttpRequest) -> HttpResponse:
    if request.GET.get("on") == "platform" or request.GET.get("brand"):
        return _page(request, _brand(request, request.GET))
    first = _first_brand(request)
    if first is None:
        may_platform = None in brands_for(request.user)
        return render(request, TEMPLATE, {"tab": "schedules", "no_brand": True, "may_platform": may_platform})
    return _page(request, first)


@require_POST
@needs(VIEW, CHANGE)
def schedule_save(request: HttpRequest) -> HttpResponse:
    """Save one row. What is refused is shown at its field, and nothing is changed."""
    brand = _brand(request, request.POST)
    row = _row(request, brand, request.POST)
    if row is None:
        messages.error(request, f"{GONE} Nothing was saved.")
        return see_other(address(brand))
    both = RowForms(row, request.POST)
    asks = ""
    if both.form.is_valid() and not both.params.errors:
        values = both.form.values
        subjects = len(row.subjects) if values["every_subject"] else len(values["subjects"])
        asks = _question(row, values, subjects) if values["enabled"] and "sure" not in request.POST else ""
        if not asks:
            try:
                api.save_rule(
                    brand.pk if brand else None, row.handler.name, parameters=both.chosen, created_by=request.user, **values
                )
            except InvalidRequest as error:
                both.refused(error)
            except NotAllowed as error:
                both.form.add_error(None, str(error))
            else:
                (saved,) = queries.schedule_rows(brand, request.user, only=row.handler.name)
                words = f"{saved.words}." if saved.on else "Off: nothing new starts."
                messages.success(request, format_html("{} saved. {}", row.handler.label, words))
                return see_other(address(brand))
    return _page(request, brand, refused=both, asks=asks)


@require_POST
@needs(VIEW, CHANGE)
def schedule_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back what a row said before its last change."""
    rule = get_object_or_404(ScheduleRule.objects.filter(brands_for(request.user).q()).select_related("brand"), pk=pk)
    rule.version = seen_version(request)
    try:
        undone = api.undo_rule(rule, request.user)
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
    else:
        (row,) = queries.schedule_rows(rule.brand, request.user, only=undone.job_type)
        messages.success(request, format_html("{} is as it was: {}.", row.handler.label, row.words if row.on else "off"))
    return see_other(address(rule.brand))


@require_GET
@needs(VIEW)
def schedule_outlook(request: HttpRequest) -> HttpResponse:
    """What a row's values would mean, before it is saved."""
    brand = _brand(request, request.GET)
    row = _row(request, brand, request.GET)
    if row is None:
        return HttpResponseBadRequest(GONE)
    both = RowForms(row, request.GET)
    context = {"row": row, "forms": both, "outlook": _outlook(both)}
    return render(request, "pipeline/manager/schedules/_outlook.html", context)


def _page(request: HttpRequest, brand: Brand | None, *, refused: RowForms | None = None, asks: str = "") -> HttpResponse:
    rows = queries.schedule_rows(brand, request.user)
    brand_id = brand.pk if brand else None
    every = []
    for row in rows:
        same = refused is not None and refused.row.handler.name == row.handler.name
        both = refused if refused is not None and same else RowForms(row)
        may_change = may(request.user, CHANGE, brand_id) and may_spend(request.user, brand_id, row.handler.name)
        every.append(
            {"row": row, "forms": both, "outlook": _outlook(both), "may_change": may_change, "asks": asks if same else ""}
        )
    brands = brands_for(request.user)
    context = {
        "tab": "schedules",
        "brand": brand,
        "brands": brands.rows().filter(archived_at=None).order_by("name"),
        "platform": brand is None,
        "may_platform": None in brands,
        "rows": every,
        "on": sum(row.on for row in rows),
        "cost": sum(row.cost + row.own_cost for row in rows),
        "zone": queries.zone_in_words(queries.zone_for(brand)),
        "week": queries.week_ahead(brand, rows),
        "refused": refused,
        "lacking": "" if may(request.user, CHANGE, brand_id) else can_words(CHANGE),
    }
    return render(request, TEMPLATE, context, status=422 if refused else 200)


def _outlook(both: RowForms) -> dict[str, Any]:
    """Of what the form says, if that is right; else of the saved rule."""
    row = both.row
    if both.form.is_bound:
        if not both.form.is_valid():
            return {}
        values = both.form.values
        subjects = len(row.subjects) if values["every_subject"] else len(values["subjects"])
        zone = values["time_zone"] if queries.zone_exists(values["time_zone"]) else row.zone
        return row.outlook(values["cadence"], zone or row.zone, max(subjects - len(row.own), 0))
    return row.outlook(row.rule.cadence if row.rule else "", row.zone, row.for_rule)


def _question(row: queries.TypeRow, values: dict[str, Any], subjects: int) -> str:
    """What to ask before a costly schedule is saved; '' where it may just be saved."""
    zone = values["time_zone"] if queries.zone_exists(values["time_zone"]) else row.zone
    return queries.question(queries.runs_a_month(values["cadence"], zone or row.zone) * subjects, row.price)


def _row(request: HttpRequest, brand: Brand | None, data: QueryDict) -> queries.TypeRow | None:
    """Of the job type that the form names. None if there is no such type: a deploy may have removed it."""
    name = data.get("job_type", "")
    return next(iter(queries.schedule_rows(brand, request.user, only=name)), None) if name else None


def _brand(request: HttpRequest, data: QueryDict) -> Brand | None:
    """The chosen brand, else the first one; None for the platform."""
    brands = brands_for(request.user)
    if data.get("on") == "platform":
        if None not in brands:
            raise PermissionDenied(platform_words())
        return None
    slug = data.get("brand", "")
    if slug:
        return get_object_or_404(brands.rows(), slug=slug)
    first = _first_brand(request)
    if first is None and None not in brands:
        raise Http404
    return first


def _first_brand(request: HttpRequest) -> Brand | None:
    return brands_for(request.user).rows().filter(archived_at=None).order_by("name").first()


def seen_version(request: HttpRequest) -> int:
    """Of the schedule as the person saw it."""
    version = request.POST.get("version", "")
    return int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else 0


def address(brand: Brand | None) -> str:
    return reverse("schedules") + (f"?brand={brand.slug}" if brand else "?on=platform")
