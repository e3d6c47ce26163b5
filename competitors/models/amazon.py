import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from pipeline.models import Brand
from pipeline.models.fields import FoldedTextField, ForeignCharField, ForeignTextField
from pipeline.words.search import folded

# That the reviews actor can scrape (its input schema), and the languages that Amazon's pages there are in, as CLDR names them.
MARKETPLACES = {
    "com": ("en_US", "es_US"),
    "ca": ("en_CA", "fr_CA"),
    "co.uk": ("en_GB",),
    "in": ("en_IN", "hi_IN"),
    "de": ("de_DE", "en_GB"),
    "fr": ("fr_FR",),
    "it": ("it_IT",),
    "es": ("es_ES",),
    "co.jp": ("ja_JP", "en_US"),
    "com.au": ("en_AU",),
    "com.br": ("pt_BR",),
    "nl": ("nl_NL", "en_GB"),
    "se": ("sv_SE", "en_GB"),
    "com.mx": ("es_MX",),
    "ae": ("ar_AE", "en_AE"),
}


class CompetitorAmazonUrl(models.Model):
    """A competitor's listing on one Amazon marketplace. Its brand is the competitor's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    competitor = models.ForeignKey("competitors.Competitor", on_delete=models.CASCADE, related_name="amazon_urls")
    amazon_url = ForeignCharField(max_length=1000)
    asin = ForeignCharField(max_length=10)
    domain_code = models.CharField(max_length=10, default="com", choices=[(code, f"amazon.{code}") for code in MARKETPLACES])
    product_title = ForeignTextField(blank=True, default="")
    last_scraped_at = models.DateTimeField(null=True, blank=True)
    total_reviews_scraped = models.PositiveIntegerField(default=0, help_text="Number of reviews in the last good scrape.")
    scrape_cost_estimate = models.DecimalField(
        max_digits=10, decimal_places=4, null=True, blank=True, verbose_name="last scrape cost (USD)"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        verbose_name = "competitor Amazon URL"
        permissions = [("scrape_competitoramazonurl", "Can scrape reviews of an Amazon URL")]
        constraints = [
            models.UniqueConstraint(fields=["competitor", "asin", "domain_code"], name="amazon_url_once_per_competitor")
        ]

    def __str__(self) -> str:
        return f"{self.asin} (amazon.{self.domain_code})"

    @property
    def brand(self) -> Brand:
        return self.competitor.brand

    @property
    def label(self) -> str:
        return self.product_title or self.asin

    @property
    def about(self) -> str:
        """The product. History goes by it: a listing can be edited to another one."""
        return f"{self.domain_code}:{self.asin}"

    @property
    def page_url(self) -> str:
        """The product's page in its plain form, never the address that somebody typed."""
        return f"https://www.amazon.{self.domain_code}/dp/{self.asin}"

    def get_absolute_url(self) -> str:
        return f"{self.competitor.get_absolute_url()}#listing-{self.anchor}"

    @property
    def anchor(self) -> str:
        """Names it on its competitor's page. An ASIN can stand there once for each marketplace."""
        return self.asin if self.domain_code == "com" else f"{self.asin}-{self.domain_code.replace('.', '-')}"

    def reviews(self) -> models.QuerySet["AmazonReview"]:
        """The listing's reviews, shared with every other listing of the same product."""
        return AmazonReview.objects.filter(asin=self.asin, domain_code=self.domain_code)

    def reviews_url(self) -> str:
        return reverse("reviews", args=[self.competitor.brand.slug, self.competitor_id, self.pk])


class AmazonReview(models.Model):
    """A review of a product, stored once however many competitors or brands have a listing of it."""

    review_id = ForeignCharField(max_length=40)
    asin = ForeignCharField(max_length=10)
    domain_code = ForeignCharField(max_length=10)
    variation = ForeignCharField(
        max_length=10,
        blank=True,
        default="",
        verbose_name="variation (ASIN)",
        help_text="The ASIN that Amazon names, if another.",
    )
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    title = ForeignTextField(blank=True, default="")
    body = ForeignTextField(blank=True, default="")
    author = ForeignTextField(blank=True, default="")
    # The three texts above, folded: a search in 200,000 reviews takes 0.3 s with it, 6 s without it on SQLite.
    search_text = FoldedTextField(blank=True, default="", editable=False)
    review_date = models.DateField(null=True, blank=True)
    verified_purchase = models.BooleanField(null=True, blank=True)
    helpful_votes = models.PositiveIntegerField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # No index: every index makes landing slower, and a listing's reviews are found by its own.
    first_run = models.ForeignKey(
        "pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["-review_date", "review_id"]
        constraints = [
            models.UniqueConstraint(fields=["review_id", "asin", "domain_code"], name="review_once_per_listing"),
            models.CheckConstraint(condition=Q(rating__isnull=True) | Q(rating__range=(1, 5)), name="review_rating_1_to_5"),
        ]
        # With the rating, PostgreSQL counts reviews by stars without reading them.
        indexes = [models.Index(fields=["asin", "domain_code", "-review_date", "rating"], name="review_of_listing")]

    def __str__(self) -> str:
        return f"{self.review_id} of {self.asin}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = self.searchable(self.title, self.body, self.author)
        super().save(*args, **kwargs)

    @staticmethod
    def searchable(title: str, body: str, author: str) -> str:
        """`search_text` of a review with these texts. Whoever writes rows without save() gives it along."""
        return folded(f"{title}\n{body}\n{author}")
