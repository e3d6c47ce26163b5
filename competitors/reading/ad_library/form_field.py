"""The field of every form that takes an address of the ad library."""

from typing import Any

from django import forms

from .address import LONGEST, clean_address


class AdLibraryUrlField(forms.CharField):
    """An address in any form that people copy; its value is the one form."""

    def __init__(self, **options: Any):
        super().__init__(max_length=LONGEST, label="Ad Library URL", **options)

    def clean(self, value: Any) -> str:
        given = super().clean(value)
        try:
            return clean_address(given) if given else ""
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
