"""The form of a listing's address, on the page and in the admin."""

import re
from typing import Any

from django import forms

from competitors.models import Competitor, CompetitorAmazonUrl
from competitors.reading import visible

from ..address import LONGEST, parse_amazon_address


def take_address(listing: CompetitorAmazonUrl, competitor: Competitor, text: str) -> str:
    """Set the listing's ASIN and marketplace from what was typed, and return the address to keep: the typed one if it is one
    plain link, else the product's. Raises ValidationError if it names no product, or one that the competitor already has."""
    try:
        address = parse_amazon_address(text)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error
    if competitor.amazon_urls.filter(asin=address.asin, domain_code=address.domain_code).exclude(pk=listing.pk).exists():
        raise forms.ValidationError(
            f"{competitor} already has {address.asin} on amazon.{address.domain_code}."
            " Each ASIN can be added once per marketplace."
        )
    listing.asin, listing.domain_code = address.asin, address.domain_code
    return kept_address(text, listing)


def kept_address(text: str, listing: CompetitorAmazonUrl) -> str:
    """What was typed if it is one plain link, else the address of the listing's product."""
    typed = visible(text)
    return typed if re.fullmatch(r"https?://\S{1,900}", typed) else listing.page_url


def address_field() -> forms.CharField:
    # Not type="url": browsers refuse an address without https://, which the server understands.
    return forms.CharField(
        max_length=LONGEST,
        label="Product address",
        help_text="Any Amazon address of the product, or its ASIN. We read the ASIN and the marketplace from it.",
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "https://www.amazon.com/dp/B0…",
            }
        ),
    )


class AmazonUrlForm(forms.ModelForm):
    """A listing of the competitor that the form was made for. ASIN and marketplace are read from the address."""

    amazon_url = address_field()

    class Meta:
        model = CompetitorAmazonUrl
        fields = ["amazon_url"]

    def __init__(self, *args: Any, competitor: Competitor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.competitor = competitor

    def clean_amazon_url(self) -> str:
        return take_address(self.instance, self.instance.competitor, self.cleaned_data["amazon_url"])


class AmazonUrlAdminForm(forms.ModelForm):
    """The same for the admin, where the competitor is chosen in the form itself."""

    amazon_url = address_field()

    class Meta:
        model = CompetitorAmazonUrl
        fields = ["competitor", "amazon_url"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # A read-only field is missing here: the competitor of a saved listing, the address during a scrape.
        competitor = cleaned.get("competitor") or (self.instance.competitor if self.instance.competitor_id else None)
        if competitor and cleaned.get("amazon_url"):
            try:
                cleaned["amazon_url"] = take_address(self.instance, competitor, cleaned["amazon_url"])
            except forms.ValidationError as error:
                self.add_error("amazon_url", error)
        return cleaned
