"""Listings and reviews in the stock admin. Reviews come from scrapes alone, so they are read-only here."""

from copy import copy
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.filters import ChoicesFieldListFilter
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from competitors.models import AmazonReview, CompetitorAmazonUrl
from competitors.models.amazon import MARKETPLACES
from competitors.subject_admin import ScrapesSubjects, UnlessLive
from pipeline.admin.base import EngineRows
from pipeline.people import Brands, brands_for

from .listings import live_scrape, save_address
from .views.forms import AmazonUrlAdminForm
from .views.tab import tab


@admin.register(CompetitorAmazonUrl)
class CompetitorAmazonUrlAdmin(ScrapesSubjects, UnlessLive):
    page = tab
    brand_path = "competitor__brand"
    form = AmazonUrlAdminForm
    list_display = [
        "label",
        "asin",
        "domain_code",
        "competitor",
        "brand",
        "last_scraped_at",
        "total_reviews_scraped",
        "scrape_cost_estimate",
    ]
    list_filter = ["domain_code", "competitor__brand"]
    list_select_related = ["competitor__brand"]
    search_fields = ["asin", "amazon_url", "product_title__alike", "competitor__name__alike"]
    autocomplete_fields = ["competitor"]
    readonly_fields = [
        "product_title",
        "asin",
        "domain_code",
        "last_scraped_at",
        "total_reviews_scraped",
        "scrape_cost_estimate",
        "created_at",
    ]

    @admin.display(ordering="competitor__brand__name")
    def brand(self, listing: CompetitorAmazonUrl) -> str:
        return str(listing.competitor.brand)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A listing stays with its competitor. During a scrape its product cannot change either."""
        fields = list(super().get_readonly_fields(request, obj))
        if obj:
            fields += ["competitor", "id"]  # a schedule or the command line names the listing by its id
            if live_scrape(obj):
                fields.append("amazon_url")
        return fields

    def save_model(self, request: HttpRequest, obj: CompetitorAmazonUrl, form: Any, change: bool) -> None:
        was = CompetitorAmazonUrl.objects.filter(pk=obj.pk).values_list("asin", "domain_code").first()
        save_address(obj, request.user, moved=change and was != (obj.asin, obj.domain_code))


class Choices(ChoicesFieldListFilter):
    """Values that are known without reading every row for those that occur."""

    values: ClassVar[list[tuple[Any, str]]]

    def __init__(self, field: Any, *args: Any, **names: Any):
        listed = copy(field)
        listed.choices = self.values
        super().__init__(listed, *args, **names)


class ByStars(Choices):
    values = [(stars, str(stars)) for stars in range(1, 6)] + [(None, "-")]


class ByMarketplace(Choices):
    values = [(code, f"amazon.{code}") for code in MARKETPLACES]


@admin.register(AmazonReview)
class AmazonReviewAdmin(EngineRows):
    list_display = [
        "review_id",
        "asin",
        "domain_code",
        "rating",
        "short_title",
        "author",
        "review_date",
        "verified_purchase",
        "helpful_votes",
    ]
    list_filter = [("rating", ByStars), "verified_purchase", ("domain_code", ByMarketplace)]
    ordering = ["-pk"]  # by an index, however many there are
    search_fields = ["=review_id", "=asin"]
    search_help_text = "The whole id of a review, or an ASIN. By words: the list of a listing's reviews."
    list_select_related = False
    raw_id_fields = ["last_run"]

    def of_brands(self, rows: QuerySet[AmazonReview], brands: Brands) -> QuerySet[AmazonReview]:
        """Reviews are shared, so they are open with any listing of the product that is."""
        same = CompetitorAmazonUrl.objects.filter(asin=OuterRef("asin"), domain_code=OuterRef("domain_code"))
        return rows.filter(Exists(same.filter(brands.q("competitor__brand"))))

    def get_exclude(self, request: HttpRequest, obj: AmazonReview | None = None) -> Any:
        """The run that saw it last may be another brand's."""
        run = obj.last_run if obj else None
        return ["last_run"] if run and run.brand_id not in brands_for(request.user) else None

    @admin.display(description="Title")
    def short_title(self, review: AmazonReview) -> str:
        return review.title[:80]
