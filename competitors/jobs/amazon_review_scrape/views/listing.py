"""Add, edit and remove a competitor's Amazon listing."""

from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html

from competitors.models import CompetitorAmazonUrl
from competitors.views.access import get_competitor
from pipeline import api
from pipeline.models import Run
from pipeline.people import brands_for
from pipeline.views.access import needs, see_other

from ..job import NAME
from ..listings import live_scrape, save_address
from .access import get_listing
from .forms import AmazonUrlForm


@needs("competitors.add_competitoramazonurl")
def add(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """The tab has this form too; its errors are shown on this page."""
    owner = get_competitor(brand, competitor)
    form = AmazonUrlForm(request.POST or None, competitor=owner)
    if form.is_bound and owner.closed:
        form.add_error(None, owner.closed)
    if form.is_bound and form.is_valid() and _saved(form):
        listing = form.instance
        messages.success(
            request, format_html("Added {} on amazon.{}. Scrape it to fetch its reviews.", listing.asin, listing.domain_code)
        )
        return see_other(listing.get_absolute_url())
    context = {"competitor": owner, "brand": owner.brand, "form": form, "heading": "Add an Amazon URL", "verb": "Add listing"}
    return render(request, "competitors/amazon_review_scrape/form.html", context, status=422 if form.errors else 200)


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
        elif _saved(form, moved=moved):
            messages.success(request, format_html("Saved <bdi>{}</bdi>.", listing.label))
            return see_other(listing.get_absolute_url())
    if form.errors:  # the page shows the listing as it is stored
        listing = get_listing(brand, competitor, url)
    context = {
        "competitor": listing.competitor,
        "brand": listing.competitor.brand,
        "listing": listing,
        "form": form,
        "heading": f"Edit {listing.label}",
        "verb": "Save listing",
    }
    return render(request, "competitors/amazon_review_scrape/form.html", context, status=422 if form.errors else 200)


@needs("competitors.delete_competitoramazonurl")
def remove(request: HttpRequest, brand: str, competitor: UUID, url: UUID) -> HttpResponse:
    """GET says what will be removed and what will be kept. POST removes it, unless a run is live."""
    listing = get_listing(brand, competitor, url)
    live = live_scrape(listing)
    schedule = api.schedule_of(listing.competitor.brand, NAME, str(listing.pk))
    if request.method == "POST" and not live:
        tab, label = listing.competitor.get_absolute_url(), listing.label
        listing.delete()
        archived = format_html(" Its schedule “{}” is archived.", schedule) if schedule else ""
        messages.success(request, format_html("Removed <bdi>{}</bdi>. Its reviews and runs are kept.{}", label, archived))
        return see_other(tab)
    same = CompetitorAmazonUrl.objects.filter(asin=listing.asin, domain_code=listing.domain_code).exclude(pk=listing.pk)
    others = same.filter(brands_for(request.user).q("competitor__brand")).count()
    context = {
        "competitor": listing.competitor,
        "brand": listing.competitor.brand,
        "listing": listing,
        "live": live,
        "schedule": schedule,
        "reviews": listing.reviews().count(),
        "others": others,
        "refusal": _refusal(live, f"It cannot be removed while run {live.pk} scrapes it.") if live else "",
    }
    return render(
        request, "competitors/amazon_review_scrape/remove.html", context, status=409 if request.method == "POST" else 200
    )


def _refusal(live: Run, words: str) -> str:
    return f"{words} Cancel that run, or wait until it ends."


def _saved(form: AmazonUrlForm, *, moved: bool = False) -> bool:
    """False, with the field's error set, if somebody else added the same product just before."""
    try:
        with transaction.atomic():
            save_address(form.instance, moved=moved)
    except IntegrityError:
        form.add_error("amazon_url", f"{form.instance.competitor} already has this product: somebody added it just now.")
        return False
    return True
