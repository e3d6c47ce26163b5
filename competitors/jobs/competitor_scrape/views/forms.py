"""The form of an ad library's address."""

from typing import Any

from django import forms

from competitors.models import Competitor, CompetitorAdLibrary
from competitors.reading.ad_library import AdLibraryUrlField


class LibraryForm(forms.ModelForm):
    """An address that a competitor does not have yet, kept in its one form."""

    class Meta:
        model = CompetitorAdLibrary
        fields = ["url"]

    url = AdLibraryUrlField(help_text="The address of the list of the competitor's ads.")

    def __init__(self, *args: Any, competitor: Competitor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.competitor = competitor

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if CompetitorAdLibrary.objects.filter(competitor=self.instance.competitor, url=url).exists():
            raise forms.ValidationError(f"{self.instance.competitor} already has this address.")
        return url
