"""Add, edit and remove a competitor's Amazon listing."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from competitors.models import CompetitorAmazonUrl
from competitors.views.access import get_competitor
from competitors.views.forms import new_subject_form, subject_form
from competitors.views.subjects.remove import remove as remove_row
from pipeline.models import Run
from pipeline.people import brands_for
from pipeline.views.access import needs, see_other
from pipeline.words import counted

from ..listings import live_scrape, save_address
from .access import get_listing
from .forms import AmazonUrlForm
from .tab import tab

FORM = "competitors/amazon_review_scrape/form.html"


@needs("competitors.add_competitoramazonurl")
def add(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """The tab has this form too; its errors are shown on this page."""
    owner = get_competitor(brand, competitor)
    form = new_subject_form(request, AmazonUrlForm, owner)
    if form.is_bound and form.is_valid() and _saved(form, request.user):
        listing = form.instance
        messages.success(
            request, format_html("Added {} on amazon.{}. Scrape it to fetch its reviews.", listing.asin, listing.domain_code)
        )
        return see_other(listing.get_absolute_url())
    words = {"heading": "Add an Amazon URL", "verb": "Add listing", "back": owner.get_absolute_url()}
    return subject_form(request, FORM, form, owner, **words)


@needs("competitors.change_competitoramazonurl")
def edit(request: HttpRequest, brand: str, competitor: UUID, url: UUID) -> HttpResponse:
    """A new address of the same product changes nothing else. A different product starts from scratch."""
    listing = get_listing(brand, competitor, url)
    was = (listing.asin, listing.domain_code)
    form = AmazonUrlForm(request.POST or None, instance=listing, competitor=listing.competitor)
    if form.is_bound and form.is_valid():
        moved = (form.instance.asin, form.instance.domain_code) != was
        live = live_scrape(listing) if moved else None
        if live:
            form.add_error("amazon_url", _refusal(live, f"The product cannot be changed while run {live.pk} scrapes it."))
        elif _saved(form, request.user, moved=moved):
            messages.success(request, format_html("Saved <bdi>{}</bdi>.", listing.label))
            return see_other(listing.get_absolute_url())
    if form.errors:  # the page shows the listing as it is stored
        listing = get_listing(brand, competitor, url)
    words = {"heading": f"Edit {listing.label}", "verb": "Save listing", "back": listing.get_absolute_url()}
    return subject_form(request, FORM, form, listing.competitor, listing=listing, **words)


@needs("competitors.delete_competitoramazonurl")
def remove(request: HttpRequest, brand: str, competitor: UUID, url: UUID) -> HttpResponse:
    listing = get_listing(brand, competitor, url)
    same = CompetitorAmazonUrl.objects.filter(asin=listing.asin, domain_code=listing.domain_code).exclude(pk=listing.pk)
    others = same.filter(brands_for(request.user).q("competitor__brand")).count()
    who = f"{counted(others, 'other listing')} here show{'s' if others == 1 else ''} them"
    shared = f"reviews are shared, and {who}" if others else "reviews are shared; they show again if you add the product again"
    place = {"competitor": listing.competitor, "brand": listing.competitor.brand}
    kept = f"{counted(listing.reviews().count(), 'review')} of {listing.asin}: {shared}."
    return remove_row(request, tab, place, listing, data="reviews", kept=kept)


def _refusal(live: Run, words: str) -> str:
    return f"{words} Cancel that run, or wait until it ends."


def _saved(form: AmazonUrlForm, by: Any, *, moved: bool = False) -> bool:
    """False, with the field's error set, if somebody else added the same product just before."""
    try:
        with transaction.atomic():
            save_address(form.instance, by, moved=moved)
    except IntegrityError:
        form.add_error("amazon_url", f"{form.instance.competitor} already has this product: somebody added it just now.")
        return False
    return True
