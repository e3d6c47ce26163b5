"""Inputs and selects that are written without Django's templates say what these would say."""

import datetime

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html

from pipeline.templatetags.form_widgets import QuickRenderer

BAD = "\"><script>'&"
CHOICES = [("", "None"), (1, "One"), (BAD, BAD), (f"In {BAD}", [(3, "Three"), ("b", "<b>")])]
WIDGETS = [
    (forms.TextInput, BAD),
    (forms.TextInput, None),
    (forms.TextInput, ""),
    (forms.NumberInput, 1234567.5),
    (forms.EmailInput, "a@b.example"),
    (forms.URLInput, "https://a.example/?a=1&b=2"),
    (forms.PasswordInput, "secret"),
    (forms.HiddenInput, 5),
    (forms.SearchInput, "words"),
    (forms.DateInput, datetime.date(2026, 5, 4)),
    (forms.TimeInput, datetime.time(6)),
    (forms.DateTimeInput, datetime.datetime(2026, 5, 4, 6, tzinfo=datetime.UTC)),
    (forms.CheckboxInput, True),
    (forms.CheckboxInput, False),
    (forms.Select, 1),
    (forms.Select, BAD),
    (forms.SelectMultiple, [BAD, "b"]),
    (forms.NullBooleanSelect, True),
    (forms.RadioSelect, 1),
    (forms.CheckboxSelectMultiple, [1]),
    (forms.Textarea, BAD),
]


@pytest.mark.parametrize(("kind", "value"), WIDGETS)
def test_a_widget_is_what_django_s_templates_make_of_it(kind, value):
    choices = {"choices": CHOICES} if issubclass(kind, forms.widgets.ChoiceWidget) and kind is not forms.NullBooleanSelect else {}
    widget = kind(attrs={"class": BAD, "required": True, "disabled": False, "size": 1234567, "data-x": ""}, **choices)
    ours, theirs = (widget.render(BAD, value, {"id": "id_x"}, renderer) for renderer in (QuickRenderer(), DjangoTemplates()))
    assert parse_html(ours) == parse_html(theirs)
    assert "<script" not in ours
