"""The form of a listing's address, on the page and in the admin."""

from typing import Any

from django import forms

from competitors.models import Competitor, CompetitorAmazonUrl

from ..address import parse_amazon_address


def take_address(listing: CompetitorAmazonUrl, competitor: Competitor, text: str) -> None:
    """Set the listing's ASIN and marketplace from the typed address. Raises ValidationError if it has none or they are taken."""
    try:
        address = parse_amazon_address(text)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error
    twin = competitor.amazon_urls.filter(asin=address.asin).exclude(pk=listing.pk).first()
    if twin:
        raise forms.ValidationError(
            f"{competitor} already has {twin.asin}, on amazon.{twin.domain_code}. Each ASIN can be added once."
        )
    listing.asin, listing.domain_code = address.asin, address.domain_code


class AmazonUrlForm(forms.ModelForm):
    """A listing of the competitor that the form was made for. ASIN and marketplace are read from the address."""

    # Not type="url": browsers refuse an address without https://, which the server understands.
    amazon_url = forms.CharField(
        max_length=1000,
        label="Product address",
        help_text="Any Amazon address of the product. We read the ASIN and the marketplace from it.",
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "https://www.amazon.com/dp/B0…",
            }
        ),
    )

    class Meta:
        model = CompetitorAmazonUrl
        fields = ["amazon_url"]

    def __init__(self, *args: Any, competitor: Competitor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.competitor = competitor

    def clean_amazon_url(self) -> str:
        text: str = self.cleaned_data["amazon_url"]
        take_address(self.instance, self.instance.competitor, text)
        return text


class AmazonUrlAdminForm(forms.ModelForm):
    """The same for the admin, where the competitor is chosen in the form itself."""

    class Meta:
        model = CompetitorAmazonUrl
        fields = ["competitor", "amazon_url"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # A read-only field is missing here: the competitor of a saved listing, the address during a scrape.
        competitor = cleaned.get("competitor") or (self.instance.competitor if self.instance.competitor_id else None)
        if competitor and cleaned.get("amazon_url"):
            try:
                take_address(self.instance, competitor, cleaned["amazon_url"])
            except forms.ValidationError as error:
                self.add_error("amazon_url", error)
        return cleaned
