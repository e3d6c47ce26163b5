"""Adds and removes an address of a competitor's ads."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html

from competitors.models import CompetitorAd
from competitors.views.access import get_competitor
from competitors.views.forms import new_subject_form, saved, subject_form
from competitors.views.subjects.remove import remove as remove_row
from pipeline.views.access import needs, see_other
from pipeline.words import counted

from .forms import LibraryForm
from .tab import tab


@needs("competitors.add_competitoradlibrary")
def add(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """Save a valid address. Otherwise show the form with what is wrong."""
    owner = get_competitor(brand, competitor)
    form = new_subject_form(request, LibraryForm, owner)
    if form.is_bound and form.is_valid() and saved(form, "url", "address", by=request.user):
        messages.success(request, format_html("Added <bdi>{}</bdi>. Scrape it to fetch its ads.", form.instance.label))
        return see_other(form.instance.get_absolute_url())
    words = {"heading": "Add an Ad Library URL", "verb": "Add ad list", "back": reverse("ads", args=[brand, competitor])}
    return subject_form(request, "competitors/competitor_scrape/form.html", form, owner, **words)


@needs("competitors.delete_competitoradlibrary")
def remove(request: HttpRequest, brand: str, competitor: UUID, pk: UUID) -> HttpResponse:
    place = tab.place({"brand": brand, "competitor": competitor})
    library = get_object_or_404(tab.rows(place), pk=pk)
    saved_ads = CompetitorAd.objects.filter(competitor=place["competitor"]).count()
    return remove_row(
        request,
        tab,
        place,
        library,
        data="ads",
        kept=f"{counted(saved_ads, 'ad')} of {place['competitor']}, of all its addresses.",
    )
