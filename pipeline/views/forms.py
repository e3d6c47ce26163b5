"""The filter of a run's log."""

from django import forms


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
