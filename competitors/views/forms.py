"""Forms that add a brand or a competitor."""

from typing import Any

from django import forms
from django.utils.text import slugify

from pipeline.models import Brand

from ..models import Competitor


class BrandForm(forms.ModelForm):
    """A brand needs only a name; its address on this site is made from it."""

    class Meta:
        model = Brand
        fields = ["name"]
        labels = {"name": "Brand name"}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        slug = slugify(name)[:80]
        if not slug:
            raise forms.ValidationError("Use at least one letter a–z or digit. The name becomes part of the page's address.")
        if Brand.objects.filter(slug=slug).exists():
            raise forms.ValidationError(f"Another brand already has the address “{slug}”. Choose another name.")
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
            raise forms.ValidationError(f"{self.instance.brand} already has a competitor called {name}.")
        return name
