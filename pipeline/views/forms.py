"""Filters of the run list and of a run's log. The page names bad values and ignores them."""

from django import forms
from django.db.models import QuerySet

from ..models import Brand
from ..queries.runs import type_choices
from ..states import RunStatus


class RunFilter(forms.Form):
    status = forms.ChoiceField(required=False, choices=[("", "Any state"), *RunStatus.choices])
    job_type = forms.ChoiceField(required=False, label="Type")
    brand = forms.ModelChoiceField(Brand.objects.none(), required=False, to_field_name="slug", empty_label="Any brand")
    subject = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: object, brands: QuerySet[Brand], **kwargs: object):
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        self.fields["job_type"].choices = [("", "Any type"), *type_choices()]  # type: ignore[attr-defined]
        self.fields["subject"].widget = forms.HiddenInput()


class LogFilter(forms.Form):
    level = forms.ChoiceField(
        required=False,
        choices=[("", "All levels"), ("warning", "Warnings and errors"), ("error", "Errors")],
        widget=forms.Select(attrs={"class": "control--s auto"}),
    )
    find = forms.CharField(
        required=False,
        max_length=100,
        label="Search the log",
        widget=forms.SearchInput(attrs={"placeholder": "Search the log", "class": "control--s auto"}),
    )
