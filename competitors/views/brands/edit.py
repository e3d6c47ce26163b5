"""Rename a brand or a competitor, set a brand's time zone and subreddits. Addresses on this site stay as they are."""

from copy import copy  # the page names what is saved, whatever the form was given
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from pipeline import api
from pipeline.models import Brand
from pipeline.views.access import needs, see_other

from ...models import BrandSubreddit
from ..access import get_brand, get_competitor
from ..forms import BrandEditForm, CompetitorForm, SubredditsForm, saved


@needs("competitors.view_competitor", "pipeline.change_brand")
def brand(request: HttpRequest, brand: str) -> HttpResponse:
    owner = get_brand(brand)
    form = BrandEditForm(request.POST or None, instance=copy(owner))
    back = reverse("brand_competitors", args=[owner.slug])
    if form.is_bound and form.is_valid() and saved(form):
        if "time_zone" in form.changed_data:
            api.reschedule_brand(form.instance)
        messages.success(request, format_html("Saved <bdi>{}</bdi>.", form.instance.name))
        return see_other(back)
    return _brand_page(request, owner, form, SubredditsForm())


@require_POST
@needs("competitors.view_competitor", "pipeline.change_brand", "competitors.add_brandsubreddit")
def add_subreddits(request: HttpRequest, brand: str) -> HttpResponse:
    """Those that the brand has already stay as they are."""
    owner, form = get_brand(brand), SubredditsForm(request.POST)
    if not form.is_valid():
        return _brand_page(request, owner, BrandEditForm(instance=copy(owner)), form)
    known = {name.casefold() for name in owner.subreddits.values_list("name", flat=True)}
    wanted = {name.casefold(): name for name in form.cleaned_data["subreddits"]}
    new = [BrandSubreddit(brand=owner, name=name) for folded, name in wanted.items() if folded not in known]
    BrandSubreddit.objects.bulk_create(new, ignore_conflicts=True)
    messages.success(request, f"Added {', '.join(map(str, new))}." if new else "The brand has these subreddits already.")
    return see_other(f"{reverse('brand_edit', args=[brand])}#subreddits")


@require_POST
@needs("competitors.view_competitor", "pipeline.change_brand", "competitors.delete_brandsubreddit")
def remove_subreddit(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    found = get_object_or_404(BrandSubreddit, pk=pk, brand=get_brand(brand))
    found.delete()
    messages.success(request, f"Removed {found}. Researches that have it keep it.")
    return see_other(f"{reverse('brand_edit', args=[brand])}#subreddits")


@needs("competitors.view_competitor", "competitors.change_competitor")
def competitor(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    found = get_competitor(brand, competitor)
    form = CompetitorForm(request.POST or None, instance=copy(found), brand=found.brand)
    back = found.get_absolute_url()
    if form.is_bound and form.is_valid() and saved(form, by=request.user):
        messages.success(request, format_html("Saved <bdi>{}</bdi>.", form.instance.name))
        return see_other(back)
    return _page(request, form, {"brand": found.brand, "competitor": found, "name": found.name, "back": back})


def _brand_page(request: HttpRequest, owner: Brand, form: BrandEditForm, subreddits: SubredditsForm) -> HttpResponse:
    context = {"brand": owner, "name": owner.name, "back": reverse("brand_competitors", args=[owner.slug])}
    return _page(request, form, context | {"subreddit_form": subreddits, "subreddits": owner.subreddits.all()})


def _page(request: HttpRequest, form: Any, context: dict[str, Any]) -> HttpResponse:
    wrong = form.errors or (context.get("subreddit_form") and context["subreddit_form"].errors)
    return render(request, "competitors/brands/edit.html", context | {"form": form}, status=422 if wrong else 200)
