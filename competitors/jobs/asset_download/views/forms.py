"""The form of an ad account."""

import re
from typing import Any

from django import forms

from competitors.models import AdAccount
from pipeline.models import Brand

_NUMBER = re.compile(r"(?:act_|.*[?&]act=)?([1-9][0-9]{0,29})(?:[&#].*)?", re.ASCII)


class AdAccountForm(forms.ModelForm):
    """An ad account that the brand does not have yet. Its name, currency and time zone come with the first download."""

    class Meta:
        model = AdAccount
        fields = ["account_id"]

    account_id = forms.CharField(
        label="Ad account",
        max_length=1000,
        help_text="Its id, such as act_1234567890, or its address in Meta's Ads Manager.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.brand = brand

    def clean_account_id(self) -> str:
        found = _NUMBER.fullmatch(self.cleaned_data["account_id"].strip())
        if not found:
            raise forms.ValidationError("An ad account's id is act_ and digits, such as act_1234567890.")
        account_id = f"act_{found[1]}"
        if AdAccount.objects.filter(brand=self.instance.brand, account_id=account_id).exists():
            raise forms.ValidationError(f"{self.instance.brand} already has the ad account {account_id}.")
        return account_id
