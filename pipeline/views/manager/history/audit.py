"""Who did what: one list to read, with filters, and the same as a file."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from ....contract.site.list_files import ListFile, list_export
from ....models import Brand
from ....people import brands_for
from ....queries.manager.history.audit import LABELS, Act, Wanted, acts, page_of
from ...access import needs
from .filter import day_field, midnight, words_field

VIEW = "pipeline.audit_event"
COLUMNS = ["At", "Who", "Kind", "What", "Brand", "Field", "Before", "After", "Address"]


class AuditForm(forms.Form):
    words = words_field("Words")
    group = forms.ChoiceField(required=False, label="Kind", choices=[("", "Everything"), *LABELS.items()])
    person = forms.ModelChoiceField(
        get_user_model().objects.none(), required=False, to_field_name="username", empty_label="Anybody"
    )
    brand = forms.ModelChoiceField(Brand.objects.none(), required=False, to_field_name="slug", empty_label="Any brand")
    since = day_field("From")
    until = day_field("Until")

    def __init__(self, data: QueryDict, user: Any):
        super().__init__(data)
        chosen: dict[str, Any] = dict(self.fields)
        chosen["brand"].queryset = brands_for(user).rows()
        chosen["person"].queryset = get_user_model().objects.order_by("username")


class AuditFilter:
    """What the address asks for. A wrong value is ignored and named."""

    def __init__(self, query: QueryDict, user: Any):
        self.form = AuditForm(query, user)
        self.form.is_valid()
        values = {name: value for name, value in self.form.cleaned_data.items() if value}
        since, until = values.pop("since", None), values.pop("until", None)
        self.wanted = Wanted(
            **values,
            since=midnight(since) if since else None,
            until=midnight(until + timedelta(days=1)) if until and until < date.max else None,
        )
        self.ignored = [
            f"{self.form.fields[name].label or name.capitalize()}: {' '.join(map(str, wrong))}"
            for name, wrong in self.form.errors.items()
        ]
        self.query = {name: query[name] for name in self.form.fields if query.get(name) and name not in self.form.errors}

    def url(self, **more: str) -> str:
        return f"?{urlencode(self.query | more)}"


@require_GET
@needs(VIEW)
def audit(request: HttpRequest) -> HttpResponse:
    chosen = AuditFilter(request.GET, request.user)
    found, older = page_of(chosen.wanted, request.user, before=_moment(request.GET.get("before", "")))
    context = {"filter": chosen, "form": chosen.form, "acts": found, "csv": chosen.url()}
    context |= {"older": chosen.url(before=older.isoformat()) if older else "", "first": "before" not in request.GET}
    return render(request, "pipeline/manager/audit.html", context)


class _Lines:
    """The lines of the file, read piece by piece, and only as far as they are wanted."""

    def __init__(self, wanted: Wanted, user: Any):
        self.wanted, self.user = wanted, user

    def __iter__(self) -> Iterator[list[Any]]:
        return (line for act in acts(self.wanted, self.user) for line in _lines(act))


@list_export("audit", VIEW)
def audit_file(user: Any, query: QueryDict) -> ListFile:
    """A line for each changed field."""
    return ListFile("audit.csv", COLUMNS, _Lines(AuditFilter(query, user).wanted, user))


def _lines(act: Act) -> Iterator[list[Any]]:
    start = [act.at, act.who, act.label, act.what, str(act.brand or "")]
    for change in act.changes:
        yield [*start, change.field, change.before, change.after, act.address]
    if not act.changes:
        yield [*start, "", "", "", act.address]


def _moment(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at if at and at.tzinfo else None
