"""A job type's parameters as a Django form, so that page, admin, command line and API validate alike."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from django import forms

from ..models import Brand
from .errors import InvalidRequest

# Django takes any text but "false" and "0" for a yes, which would switch on, and pay for, what somebody wrote "no" or "off" for.
SWITCHES = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


class ParameterForm(forms.Form):
    """Base of every job type's Params. Clean methods may use `brand`. A missing field takes its `initial`."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, brand: Brand | None = None, **kwargs: Any):
        self.brand = brand
        super().__init__(data, **kwargs)

    def clean(self) -> dict[str, Any]:
        return super().clean() or {}


class UsualNumber(forms.IntegerField):
    """A number that may be left empty: it is then the usual one."""

    def __init__(self, *, usual: int, least: int, most: int, **options: Any):
        super().__init__(initial=usual, min_value=least, max_value=most, required=False, **options)
        self.usual, self.least, self.most = usual, least, most

    def clean(self, value: Any) -> int:
        given: int | None = super().clean(value)
        return self.usual if given is None else given


def clean_parameters(form_class: type[ParameterForm], given: Mapping[str, Any], brand: Brand | None) -> dict[str, Any]:
    """Validate the parameters and return them as stored: with defaults, JSON only. InvalidRequest names each wrong one."""
    return clean_again(form_class({}, brand=brand), given)


def clean_again(form: ParameterForm, given: Mapping[str, Any]) -> dict[str, Any]:
    """clean_parameters() by a form that may have been used before: for many parameters, making a form of each is most of it."""
    fields = type(form).base_fields
    errors: dict[str, list[str]] = {}
    for name in given:
        if name not in fields:
            near = get_close_matches(name, fields, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(fields) or 'none'}."
            errors[name] = [f"There is no parameter {name!r}.{hint}"]
    data = {name: field.initial for name, field in fields.items() if field.initial is not None} | dict(given)
    for name, field in fields.items():
        if name not in given:
            continue
        if isinstance(field, forms.BooleanField):
            data[name] = SWITCHES.get(str(given[name]).strip().lower())
            if data[name] is None:
                errors[name] = [f"{given[name]!r} is neither yes nor no."]
        elif type(field) is forms.CharField and isinstance(given[name], list | dict):  # which it would turn into text
            errors[name] = [f"{given[name]!r} is not a text."]
    form.data = data
    form.full_clean()
    if form.errors:
        errors |= {name: [str(message) for message in messages] for name, messages in form.errors.items()}
    if errors:
        sentences = [
            f"{name}: {' '.join(messages)}" if name != "__all__" else " ".join(messages) for name, messages in errors.items()
        ]
        raise InvalidRequest(" ".join(sentences), errors)
    return {name: _plain(form.cleaned_data[name]) for name in fields}


def _plain(value: Any) -> Any:
    """The value as JSON stores it."""
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
