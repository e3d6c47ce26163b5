"""What the address of the history asks for. A wrong value is ignored and named; it never hides the list."""

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.http import QueryDict
from django.utils import timezone

from ....contract.registry import find_type
from ....models import Brand, Job
from ....people import brands_for
from ....queries.manager.history.every_run import STATES, Asked
from ....queries.runs import type_choices

PLACES = ("before", "after")  # of a page; they say nothing about which runs are meant


def day_field(label: str) -> forms.DateField:
    return forms.DateField(required=False, label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def words_field(label: str) -> forms.CharField:
    return forms.CharField(required=False, max_length=100, label=label, widget=forms.SearchInput())


class HistoryForm(forms.Form):
    words = words_field("Words in what it is about")
    brand = forms.ModelChoiceField(Brand.objects.none(), required=False, to_field_name="slug", empty_label="Any brand")
    job_type = forms.ChoiceField(required=False, label="Type")
    trigger = forms.ChoiceField(required=False, label="Started", choices=[("", "In any way"), *Job.Trigger.choices])
    person = forms.ModelChoiceField(
        get_user_model().objects.none(), required=False, to_field_name="username", empty_label="Anybody"
    )
    ended_from = day_field("Ended from")
    ended_to = day_field("Ended until")
    error = words_field("Words in the error of failed runs")
    status = forms.ChoiceField(required=False, choices=[(name, word) for name, (word, _) in STATES.items()])
    subject = forms.CharField(required=False, max_length=200)
    job = forms.ModelChoiceField(Job.objects.none(), required=False, label="Schedule")

    def __init__(self, data: QueryDict, user: Any):
        super().__init__(data)
        chosen: dict[str, Any] = dict(self.fields)
        chosen["brand"].queryset = brands_for(user).rows()
        chosen["person"].queryset = get_user_model().objects.order_by("username")
        chosen["job"].queryset = Job.objects.filter(brands_for(user).q())
        chosen["job_type"].choices = [("", "Any type"), *type_choices()]

    def clean(self) -> dict[str, Any]:
        """The index of a subject's runs begins with type and brand: without them, all runs would be read."""
        values = super().clean() or {}
        handler = find_type(values.get("job_type") or "")
        of_no_brand = handler is not None and (handler.platform or handler.internal)
        if values.get("subject") and not (handler and (values.get("brand") or of_no_brand)):
            self.add_error("subject", f"Choose its {'brand' if handler else 'type and brand'}.")
        return values


class HistoryFilter:
    """The form of an address, what of it counts, and addresses like it."""

    def __init__(self, query: QueryDict, user: Any):
        self.form = HistoryForm(query, user)
        self.form.is_valid()
        values = self.form.cleaned_data
        self.ignored = [
            f"{self.form.fields[name].label or name.capitalize()}: {' '.join(map(str, wrong))}"
            for name, wrong in self.form.errors.items()
        ]
        since, until = values.pop("ended_from", None), values.pop("ended_to", None)
        self.asked = Asked(
            **{name: value for name, value in values.items() if value},
            since=midnight(since) if since else None,
            until=midnight(until + timedelta(days=1)) if until and until < date.max else None,
        )
        good = [name for name in self.form.fields if query.get(name) and name not in self.form.errors]
        self.query = {name: query[name] for name in good}

    @property
    def filtered(self) -> bool:
        return bool(self.query)

    @property
    def everything(self) -> bool:
        """Whether no run is left out: a blank or a day that never comes is in the address, but says nothing."""
        return self.asked == Asked()

    @property
    def words(self) -> str:
        """'Status: Failed. Brand: Acme.'"""
        return " ".join(f"{self.form[name].label}: {self._in_words(name)}." for name in self.query)

    def _in_words(self, name: str) -> str:
        choices = getattr(self.form.fields[name], "choices", ())
        chosen = self.form.cleaned_data.get(name, self.query[name])
        return str(dict(choices).get(chosen, chosen) if isinstance(chosen, str) else chosen)

    @property
    def further(self) -> bool:
        """Whether one of the less used filters is on."""
        return bool(self.query.keys() & {"trigger", "person", "ended_from", "ended_to", "error"})

    def url(self, **changes: str) -> str:
        """The address with these changes, as the first page: the pages change too."""
        return f"?{urlencode({name: value for name, value in {**self.query, **changes}.items() if value})}"


def midnight(day: date) -> datetime:
    """When the day begins in the site's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
