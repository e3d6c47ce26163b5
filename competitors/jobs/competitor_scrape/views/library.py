"""Adds and removes an address of a competitor's ads."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html

from competitors.models import CompetitorAd
from competitors.views.access import get_competitor
from competitors.views.forms import saved
from pipeline import api, queries
from pipeline.views.access import needs, see_other

from ..job import NAME
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
    """GET says what will be removed and what will be kept. POST removes it, unless a run is live."""
    place = tab.place({"brand": brand, "competitor": competitor})
    library = get_object_or_404(tab.rows(place), pk=pk)
    live = queries.live_run(NAME, place["brand"].pk, str(library.pk))
    schedule = api.schedule_of(place["brand"], NAME, str(library.pk))
    if request.method == "POST" and not live:
        label = library.label
        library.delete()
        archived = format_html(" Its schedule “{}” is archived.", schedule) if schedule else ""
        messages.success(request, format_html("Removed <bdi>{}</bdi>. Its ads and runs are kept.{}", label, archived))
        return see_other(reverse("ads", args=[brand, competitor]))
    context = place | {
        "library": library,
        "live": live,
        "schedule": schedule,
        "saved": CompetitorAd.objects.filter(competitor=place["competitor"]).count(),
    }
    return render(request, "competitors/competitor_scrape/remove.html", context, status=409 if request.method == "POST" else 200)
