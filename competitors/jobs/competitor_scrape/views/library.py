"""Adds and removes an address of a competitor's ads."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html

from competitors.models import CompetitorAd
from competitors.views.access import get_competitor
from competitors.views.forms import saved
from competitors.views.subjects.remove import remove as remove_row
from pipeline.views.access import needs, see_other
from pipeline.words import counted

from .forms import LibraryForm
from .tab import tab


@needs("competitors.add_competitoradlibrary")
def add(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """Save a valid address. Otherwise show the form with what is wrong."""
    owner = get_competitor(brand, competitor)
    form = LibraryForm(request.POST or None, competitor=owner)
    if form.is_bound and owner.closed:
        form.add_error(None, owner.closed)
    if form.is_bound and form.is_valid() and saved(form, "url", "address"):
        messages.success(request, format_html("Added <bdi>{}</bdi>. Scrape it to fetch its ads.", form.instance.label))
        return see_other(form.instance.get_absolute_url())
    context = {"competitor": owner, "brand": owner.brand, "form": form}
    return render(request, "competitors/competitor_scrape/form.html", context, status=422 if form.errors else 200)


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
