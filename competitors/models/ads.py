"""Ads of Meta's ad library: those of a competitor, and those that a search of the library finds for everybody."""

import uuid
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.db import models
from django.db.models import Q
from django.urls import reverse

from pipeline.models import Brand
from pipeline.models.fields import FoldedTextField, ForeignCharField, ForeignJSONField, ForeignTextField, MessageField
from pipeline.words.foreign import identity
from pipeline.words.search import folded

LONGEST_PAGE = 200  # characters of a page's name
LONGEST_ABOUT = 180  # characters of what a scrape is about
LONGEST_HOST, LONGEST_PATH = 253, 380  # together they fit into a row of PostgreSQL's index, whatever script they are in


def list_label(url: str) -> str:
    """What an address of the ad library shows: the page, or the words that are searched for."""
    parts = dict(parse_qsl(urlsplit(url).query))
    return f"Page {parts['view_all_page_id']}" if "view_all_page_id" in parts else f"Search for “{parts.get('q', '')}”"


class CompetitorAdLibrary(models.Model):
    """A competitor's ads in the ad library, by their address in its one form. Its brand is the competitor's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    competitor = models.ForeignKey("competitors.Competitor", on_delete=models.CASCADE, related_name="ad_libraries")
    url = ForeignCharField(max_length=1000, verbose_name="ad library URL")
    last_scraped_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        verbose_name = "competitor ad library"
        verbose_name_plural = "competitor ad libraries"
        permissions = [("scrape_competitoradlibrary", "Can scrape ads of an ad library")]
        constraints = [models.UniqueConstraint(fields=["competitor", "url"], name="ad_library_once_per_competitor")]

    def __str__(self) -> str:
        return f"Ads of {self.competitor}"

    @property
    def brand(self) -> Brand:
        return self.competitor.brand

    @property
    def about(self) -> str:
        """What is scraped. History goes by it: the address can be edited."""
        return identity(self.url, LONGEST_ABOUT)

    @property
    def label(self) -> str:
        return list_label(self.url)

    @property
    def anchor(self) -> str:
        """Names it on its competitor's page."""
        return self.pk.hex[:12]

    def get_absolute_url(self) -> str:
        return f"{reverse('ads', args=[self.competitor.brand.slug, self.competitor_id])}#ad-list-{self.anchor}"


class LandingPage(models.Model):
    """Where ads of a competitor lead: an address without its query."""

    competitor = models.ForeignKey("competitors.Competitor", on_delete=models.CASCADE, related_name="landing_pages")
    host = ForeignCharField(max_length=LONGEST_HOST)
    path = ForeignCharField(max_length=LONGEST_PATH)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    active_ads = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-active_ads", "host", "path"]
        constraints = [models.UniqueConstraint(fields=["competitor", "host", "path"], name="landing_page_once_per_competitor")]

    def __str__(self) -> str:
        return f"{self.host}{self.path}"


class AdPage(models.Model):
    """The name of a page that ads of a competitor are shown by. A search by name looks here: ads are too many for it."""

    competitor = models.ForeignKey("competitors.Competitor", on_delete=models.CASCADE, related_name="ad_pages", db_index=False)
    name = ForeignCharField(max_length=LONGEST_PAGE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["competitor", "name"], name="ad_page_once_per_competitor")]

    def __str__(self) -> str:
        return self.name


class AdContent(models.Model):
    """What an ad says of itself, in the columns that both kinds of ads have."""

    ad_archive_id = ForeignCharField(max_length=40)
    page_id = ForeignCharField(max_length=40, blank=True, default="")
    page_name = ForeignTextField(blank=True, default="")
    started_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    body = ForeignTextField(blank=True, default="")
    title = ForeignTextField(blank=True, default="")
    caption = ForeignTextField(blank=True, default="")
    link_url = ForeignTextField(blank=True, default="", help_text="http(s) only.")
    call_to_action = ForeignTextField(blank=True, default="")
    display_format = ForeignCharField(max_length=40, blank=True, default="")
    platforms = ForeignJSONField(default=list, blank=True)
    collation_id = ForeignCharField(max_length=40, blank=True, default="", help_text="Names the ad's group of variants.")
    variants = models.PositiveIntegerField(null=True, blank=True, help_text="Ads of its group. Only the first ad tells.")
    # Page, title, body and link, folded: with it a search in many rows needs no folding.
    search_text = FoldedTextField(blank=True, default="", editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"Ad {self.ad_archive_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = self.searchable(self.page_name, self.title, self.body, self.link_url)
        super().save(*args, **kwargs)

    @staticmethod
    def searchable(page_name: str, title: str, body: str, link_url: str) -> str:
        """`search_text` of an ad with these texts. Whoever writes rows without save() gives it along."""
        return folded(f"{page_name}\n{title}\n{body}\n{link_url}")


class CompetitorAd(AdContent):
    """An ad of a competitor, stored once however many of the competitor's addresses show it."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        NOT_SEEN = "not_seen", "Not seen since"  # the last complete reading lacks it, but that proves nothing yet
        INACTIVE = "inactive", "Inactive"

    competitor = models.ForeignKey("competitors.Competitor", on_delete=models.CASCADE, related_name="ads")
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    landing_page = models.ForeignKey(LandingPage, null=True, blank=True, on_delete=models.SET_NULL, related_name="ads")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # No index: every index makes saving slower.
    first_run = models.ForeignKey(
        "pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["started_on", "ad_archive_id"]
        constraints = [
            models.UniqueConstraint(fields=["competitor", "ad_archive_id"], name="ad_once_per_competitor"),
            models.CheckConstraint(condition=Q(status__in=["active", "not_seen", "inactive"]), name="competitor_ad_status"),
        ]
        indexes = [
            models.Index(fields=["competitor", "status", "started_on"], name="ads_of_competitor"),
            models.Index(fields=["ad_archive_id"], name="ad_by_id"),
        ]


class LibraryAd(AdContent):
    """An ad that a search of the library found. It belongs to no brand."""

    is_active = models.BooleanField(null=True, blank=True)
    page_likes = models.PositiveIntegerField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="When it was last seen active.")
    last_checked_at = models.DateTimeField(null=True, blank=True, help_text="When a search last had it, active or not.")
    times_seen = models.PositiveIntegerField(default=1)
    position = models.PositiveIntegerField(null=True, blank=True, help_text="Its latest place in the list.")
    best_position = models.PositiveIntegerField(null=True, blank=True)
    total = models.PositiveIntegerField(null=True, blank=True, help_text="Ads that the latest search found.")
    impressions_lower = models.PositiveBigIntegerField(null=True, blank=True)
    impressions_upper = models.PositiveBigIntegerField(null=True, blank=True)
    impressions_text = ForeignCharField(max_length=40, blank=True, default="")
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # No index: every index makes saving slower.
    first_run = models.ForeignKey(
        "pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["-last_seen_at", "ad_archive_id"]
        permissions = [("scrape_libraryad", "Can scrape ads for the Template Queue")]
        constraints = [
            models.UniqueConstraint(fields=["ad_archive_id"], name="library_ad_once"),
            models.CheckConstraint(condition=Q(times_seen__gte=1), name="library_ad_was_seen"),
        ]


class AdReading(models.Model):
    """What one scrape saw at one address. Only complete readings say that an ad is new or has vanished."""

    competitor = models.ForeignKey("competitors.Competitor", on_delete=models.CASCADE, related_name="ad_readings")
    url = ForeignCharField(max_length=1000)
    run = models.OneToOneField("pipeline.Run", on_delete=models.CASCADE, related_name="ad_reading")
    read_at = models.DateTimeField(help_text="When its data was fetched.")
    complete = models.BooleanField(default=False)
    why_not = MessageField(blank=True, default="")
    counts = ForeignJSONField(default=dict, blank=True)
    ads = ForeignJSONField(default=list, blank=True, editable=False, help_text="Ids of the ads that it saw.")

    class Meta:
        ordering = ["-read_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(complete=False) | Q(why_not=""), name="complete_reading_has_no_reason"),
        ]
        indexes = [models.Index(fields=["competitor", "url", "-read_at"], name="readings_of_address")]

    def __str__(self) -> str:
        return f"Reading of run {self.run_id}"
