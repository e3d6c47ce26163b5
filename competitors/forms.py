"""Forms of the competitor pages. A scrape's own parameters are checked by its job type's form, not here."""

from typing import Any

from django import forms
from django.utils.text import slugify

from pipeline.models import Brand

from .amazon.address import parse_amazon_address
from .models import Competitor, CompetitorAmazonUrl


class BrandForm(forms.ModelForm):
    """A brand by its name alone; its address on this site is made from that."""

    class Meta:
        model = Brand
        fields = ["name"]
        labels = {"name": "Brand name"}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        slug = slugify(name)[:80]
        if not slug:
            raise forms.ValidationError("Use at least one letter a–z or digit: the name becomes part of an address.")
        if Brand.objects.filter(slug=slug).exists():
            raise forms.ValidationError(f"There is a brand at “{slug}” already. Choose another name.")
        self.instance.slug = slug
        return name


class CompetitorForm(forms.ModelForm):
    """A competitor of the brand that the form was made for."""

    class Meta:
        model = Competitor
        fields = ["name"]
        labels = {"name": "Competitor name"}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.brand = brand

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Competitor.objects.filter(brand=self.instance.brand, name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(f"{self.instance.brand} has a competitor called {name} already.")
        return name


def take_address(listing: CompetitorAmazonUrl, competitor: Competitor, text: str) -> None:
    """Put ASIN and marketplace of the typed address into the listing. ValidationError where it has none or they are taken."""
    try:
        address = parse_amazon_address(text)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error
    twin = competitor.amazon_urls.filter(asin=address.asin).exclude(pk=listing.pk).first()
    if twin:
        raise forms.ValidationError(
            f"{competitor} already has {twin.asin}, on amazon.{twin.domain_code}. A competitor tracks an ASIN once."
        )
    listing.asin, listing.domain_code = address.asin, address.domain_code


class AmazonUrlForm(forms.ModelForm):
    """A listing of the competitor that the form was made for. ASIN and marketplace are read from the address."""

    # Not type="url": browsers would refuse an address pasted without https://, which the server understands.
    amazon_url = forms.CharField(
        max_length=1000,
        label="Product address",
        help_text="Any amazon address of the product. ASIN and marketplace are read from it.",
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
        # Neither field is there while it is read-only: the competitor of a saved listing, the address during a scrape.
        competitor = cleaned.get("competitor") or (self.instance.competitor if self.instance.competitor_id else None)
        if competitor and cleaned.get("amazon_url"):
            try:
                take_address(self.instance, competitor, cleaned["amazon_url"])
            except forms.ValidationError as error:
                self.add_error("amazon_url", error)
        return cleaned
