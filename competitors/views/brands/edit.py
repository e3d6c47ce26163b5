"""Rename a brand or a competitor, and set a brand's time zone. Addresses on this site stay as they are."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html

from pipeline import api
from pipeline.views.access import needs, see_other

from ..access import get_brand, get_competitor
from ..forms import BrandEditForm, CompetitorForm, saved


@needs("competitors.view_competitor", "pipeline.change_brand")
def brand(request: HttpRequest, brand: str) -> HttpResponse:
    owner = get_brand(brand)
    form = BrandEditForm(request.POST or None, instance=get_brand(brand))
    back = reverse("brand_competitors", args=[owner.slug])
    if form.is_bound and form.is_valid() and saved(form):
        if "time_zone" in form.changed_data:
            api.reschedule_brand(form.instance)
        messages.success(request, format_html("Saved <bdi>{}</bdi>.", form.instance.name))
        return see_other(back)
    return _page(request, form, {"brand": owner, "name": owner.name, "back": back})


@needs("competitors.view_competitor", "competitors.change_competitor")
def competitor(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    found = get_competitor(brand, competitor)
    form = CompetitorForm(request.POST or None, instance=get_competitor(brand, competitor), brand=found.brand)
    back = found.get_absolute_url()
    if form.is_bound and form.is_valid() and saved(form):
        messages.success(request, format_html("Saved <bdi>{}</bdi>.", form.instance.name))
        return see_other(back)
    return _page(request, form, {"brand": found.brand, "competitor": found, "name": found.name, "back": back})


def _page(request: HttpRequest, form: Any, context: dict[str, Any]) -> HttpResponse:
    return render(request, "competitors/brands/edit.html", context | {"form": form}, status=422 if form.errors else 200)
