"""The domain's rows in the stock admin. Reviews come from scrapes alone, so nobody writes them here."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from pipeline import api
from pipeline.contract.errors import InvalidRequest
from pipeline.contract.registry import get_type

from .amazon.tracking import JOB_TYPE, live_scrape, save_address, scrape_parameters
from .forms import AmazonUrlAdminForm
from .models import AmazonReview, Competitor, CompetitorAmazonUrl

ASK_ABOVE_USD = 10  # a selection that is expected to cost more is confirmed first


class UnlessLive(admin.ModelAdmin):
    """Nothing is deleted from under a live scrape: its listings are shown as protected, in the admin's own way."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        for listing in self.listings_of(objs).select_related("competitor"):
            live = live_scrape(listing)
            if live:
                protected.append(
                    format_html('{}: <a href="{}">run {}</a> is scraping it', listing, live.get_absolute_url(), live.pk)
                )
        return found, counts, lacking, protected

    def listings_of(self, objs: Any) -> QuerySet[CompetitorAmazonUrl]:
        raise NotImplementedError


@admin.register(Competitor)
class CompetitorAdmin(UnlessLive):
    list_display = ["name", "brand", "listings"]
    list_filter = ["brand"]
    list_select_related = ["brand"]
    search_fields = ["name", "brand__name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Competitor]:
        return super().get_queryset(request).annotate(listing_count=Count("amazon_urls"))

    @admin.display(description="Amazon listings", ordering="listing_count")
    def listings(self, competitor: Any) -> int:
        return int(competitor.listing_count)

    def listings_of(self, objs: Any) -> QuerySet[CompetitorAmazonUrl]:
        return CompetitorAmazonUrl.objects.filter(competitor__in=objs)


@admin.register(CompetitorAmazonUrl)
class CompetitorAmazonUrlAdmin(UnlessLive):
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
    search_fields = ["asin", "amazon_url", "product_title", "competitor__name"]
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
    actions = ["scrape_reviews"]

    @admin.display(ordering="competitor__brand__name")
    def brand(self, listing: CompetitorAmazonUrl) -> str:
        return str(listing.competitor.brand)

    def listings_of(self, objs: Any) -> QuerySet[CompetitorAmazonUrl]:
        return CompetitorAmazonUrl.objects.filter(pk__in=[listing.pk for listing in objs])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A listing stays with its competitor; a live scrape also holds its product."""
        fields = list(super().get_readonly_fields(request, obj))
        if obj:
            fields += ["competitor", "id"]  # by which a schedule or the command line names it
            if live_scrape(obj):
                fields.append("amazon_url")
        return fields

    def save_model(self, request: HttpRequest, obj: CompetitorAmazonUrl, form: Any, change: bool) -> None:
        was = CompetitorAmazonUrl.objects.filter(pk=obj.pk).values_list("asin", "domain_code").first()
        save_address(obj, moved=change and was != (obj.asin, obj.domain_code))

    def has_scrape_permission(self, request: HttpRequest) -> bool:
        """Named by the action below: without it the action is neither offered nor obeyed."""
        return bool(request.user.has_perm("competitors.scrape_competitoramazonurl"))

    @admin.action(description="Scrape reviews", permissions=["scrape"])
    def scrape_reviews(self, request: HttpRequest, queryset: QuerySet[CompetitorAmazonUrl]) -> HttpResponse | None:
        """Queue a scrape of each chosen listing; say what became of how many."""
        listings = list(queryset.select_related("competitor__brand"))
        if "confirmed" not in request.POST:
            estimates = [
                get_type(JOB_TYPE).estimate(listing.competitor.brand, scrape_parameters(listing)) for listing in listings
            ]
            cost = sum(estimate.cost_usd for estimate in estimates if estimate)
            if cost > ASK_ABOVE_USD:
                context = {
                    **self.admin_site.each_context(request),
                    "title": f"Scrape reviews of {len(listings)} listings?",
                    "opts": self.model._meta,
                    "listings": listings,
                    "cost": cost,
                    "cap": sum(estimate.cap_usd for estimate in estimates if estimate),
                }
                return TemplateResponse(request, "competitors/admin_scrape.html", context)
        queued = live = 0
        refused: list[str] = []
        by_brand: dict[Any, list[CompetitorAmazonUrl]] = {}
        for listing in listings:
            by_brand.setdefault(listing.competitor.brand_id, []).append(listing)
        for brand, theirs in by_brand.items():
            results = api.queue_many(brand, JOB_TYPE, [scrape_parameters(one) for one in theirs], created_by=request.user)
            for listing, result in zip(theirs, results, strict=True):
                if isinstance(result, InvalidRequest):
                    refused.append(f"{listing}: {result}")
                else:
                    queued, live = queued + result.created, live + (not result.created)
        level = messages.WARNING if refused else messages.SUCCESS if queued else messages.INFO
        words = f"{queued} review scrape{'' if queued == 1 else 's'} queued, {live} already live, {len(refused)} refused."
        self.message_user(request, " ".join([words, *refused]), level)
        return None


@admin.register(AmazonReview)
class AmazonReviewAdmin(admin.ModelAdmin):
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
    list_filter = ["rating", "verified_purchase", "domain_code"]
    search_fields = ["review_id", "asin", "title", "body", "author"]
    date_hierarchy = "review_date"
    list_per_page = 50
    show_full_result_count = False  # a count of all reviews on every page view
    list_select_related = False
    raw_id_fields = ["last_run"]

    @admin.display(description="Title")
    def short_title(self, review: AmazonReview) -> str:
        return review.title[:80]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AmazonReview | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AmazonReview | None = None) -> bool:
        return False
