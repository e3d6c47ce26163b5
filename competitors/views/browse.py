"""The way down to a competitor: brands, a brand's competitors, and the forms that add one."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from pipeline.people import brands_for, can_words
from pipeline.views.access import needs, see_other

from ..models import Competitor
from .access import get_brand, get_competitor
from .forms import BrandForm, CompetitorForm, saved


@needs("competitors.view_competitor")
def brands(request: HttpRequest) -> HttpResponse:
    """Every brand that is open to this person, and the form that adds one."""
    open_brands = brands_for(request.user)
    alone = "" if open_brands.every else "Only managers without a brand limit can add brands. Ask one."
    may_add = _may_add(request, "pipeline.add_brand", refusal=alone)
    form = BrandForm(request.POST or None)
    if form.is_bound and form.is_valid() and saved(form):
        brand = form.instance
        messages.success(request, format_html("Added <bdi>{}</bdi>. Add its first competitor below.", brand.name))
        return see_other(reverse("brand_competitors", args=[brand.slug]))
    watched = Q(competitors__archived_at=None)
    rows = (
        open_brands.rows()
        .annotate(
            competitor_count=Count("competitors", filter=watched, distinct=True),
            listing_count=Count("competitors__amazon_urls", filter=watched, distinct=True),
            ad_list_count=Count("competitors__ad_libraries", filter=watched, distinct=True),
        )
        .order_by("name")
    )  # Django ignores the model's own ordering in a grouped query
    context = {"brands": _shown(request, rows), "form": form, "may_add": may_add}
    return render(request, "competitors/brands.html", context, status=422 if form.errors else 200)


@needs("competitors.view_competitor")
def competitors(request: HttpRequest, brand: str) -> HttpResponse:
    """The brand's competitors, and the form that adds one."""
    owner = get_brand(brand)
    may_add = _may_add(request, "competitors.add_competitor", refusal=owner.closed)
    form = CompetitorForm(request.POST or None, brand=owner)
    if form.is_bound and form.is_valid() and saved(form, by=request.user):
        competitor = form.instance
        messages.success(
            request, format_html("Added <bdi>{}</bdi>. Add an Amazon URL, then scrape its reviews.", competitor.name)
        )
        return see_other(competitor.get_absolute_url())
    rows = (
        Competitor.objects.filter(brand=owner)
        .select_related("brand")
        .annotate(listing_count=Count("amazon_urls", distinct=True), ad_list_count=Count("ad_libraries", distinct=True))
        .order_by("name")
    )
    context = {"brand": owner, "competitors": _shown(request, rows), "form": form, "may_add": may_add}
    return render(request, "competitors/competitors.html", context, status=422 if form.errors else 200)


@needs("competitors.view_competitor")
def competitor(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """A competitor has no page of its own yet; show its first tab."""
    return redirect(get_competitor(brand, competitor).get_absolute_url())


def _may_add(request: HttpRequest, permission: str, *, refusal: str) -> bool:
    """Whether to show the form. A POST without the permission is refused. `refusal`: what else forbids it, in a sentence."""
    allowed = request.user.has_perm(permission)
    if request.method == "POST" and (refusal or not allowed):
        raise PermissionDenied(refusal if allowed else can_words(permission))
    return allowed and not refusal


def _shown(request: HttpRequest, rows: Iterable[Any]) -> dict[str, Any]:
    """The rows in use, and with `?archived` in the address also those that are archived, behind the others."""
    used: list[Any] = []
    archived: list[Any] = []
    for row in rows:
        (archived if row.archived_at else used).append(row)
    return {"used": len(used), "archived": len(archived), "rows": used + (archived if "archived" in request.GET else [])}
