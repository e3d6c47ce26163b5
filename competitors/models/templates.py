"""Ads that may become templates: those to decide on, what they are filed under, and every decision with the way back."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from pipeline.models.fields import ForeignCharField, ForeignJSONField, NameField


class TemplateLabel(models.Model):
    name = NameField(max_length=80, unique=True)

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TemplateCategory(TemplateLabel):
    """What a template shows, such as "Before and after"."""

    class Meta(TemplateLabel.Meta):
        verbose_name_plural = "template categories"


class TemplateNiche(TemplateLabel):
    """Whom it sells to, such as "Outdoor"."""


class TemplateCandidate(models.Model):
    """A picture or video of an ad, or one that somebody uploaded: a template if it is approved."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        ARCHIVED = "archived", "Archived"

    class Sex(models.TextChoices):
        EVERYONE = "everyone", "Everyone"
        WOMEN = "women", "Women"
        MEN = "men", "Men"

    class Awareness(models.IntegerChoices):
        """What the viewer knows already."""

        UNAWARE = 1, "1 Unaware"
        PROBLEM = 2, "2 Problem"
        SOLUTION = 3, "3 Solution"
        PRODUCT = 4, "4 Product"
        MOST_AWARE = 5, "5 Most aware"

    FILED = ("name", "category", "niche", "target_sex", "awareness", "sales_event")  # what a person says of it
    DECIDED = ("status", "name", "category_id", "niche_id", "target_sex", "awareness", "sales_event", "reviewed_by_id")

    library_ad = models.ForeignKey(
        "competitors.LibraryAd",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="candidates",
        help_text="Empty: uploaded.",
    )
    media = models.ForeignKey("competitors.Media", on_delete=models.PROTECT, related_name="candidates")
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    name = ForeignCharField(max_length=200, blank=True, default="")
    category = models.ForeignKey(TemplateCategory, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    niche = models.ForeignKey(TemplateNiche, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    target_sex = models.CharField(max_length=8, choices=Sex, blank=True, default="", verbose_name="made for")
    awareness = models.PositiveSmallIntegerField(choices=Awareness, null=True, blank=True)
    sales_event = ForeignCharField(max_length=80, blank=True, default="", help_text="Such as Black Friday.")
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0, editable=False, help_text="Changes with each decision.")
    found_by = models.ForeignKey(
        "pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="The scrape that queued it."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["library_ad", "media"], name="candidate_once_per_ad"),
            models.UniqueConstraint(fields=["media"], condition=Q(library_ad__isnull=True), name="candidate_uploaded_once"),
            models.CheckConstraint(
                condition=Q(status="pending", reviewed_at__isnull=True)
                | Q(status__in=["approved", "rejected", "archived"], reviewed_at__isnull=False),
                name="candidate_reviewed_unless_pending",
            ),
            models.CheckConstraint(condition=~Q(status="approved", name=""), name="template_has_name"),
            models.CheckConstraint(
                condition=Q(awareness__isnull=True) | Q(awareness__range=(1, 5)), name="template_awareness_1_to_5"
            ),
            models.CheckConstraint(condition=Q(target_sex__in=["", "everyone", "women", "men"]), name="template_target_sex"),
        ]
        indexes = [models.Index(fields=["status", "-reviewed_at"], name="candidates_by_status")]

    def __str__(self) -> str:
        return self.name or f"Candidate {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("template", args=[self.pk])

    @property
    def is_video(self) -> bool:
        return self.media.kind == self.media.Kind.VIDEO

    @property
    def title(self) -> str:
        """What a card calls it."""
        ad = self.library_ad
        return self.name or (ad.title or ad.page_name if ad else "") or f"Candidate {self.pk}"

    def state(self) -> dict[str, Any]:
        """What a decision may change, as JSON."""
        columns = {name: getattr(self, name) for name in self.DECIDED}
        return columns | {"reviewed_at": self.reviewed_at.isoformat() if self.reviewed_at else None}


class TemplateDecision(models.Model):
    """What somebody decided about a candidate. `before` is what it was: undoing it restores just that."""

    candidate = models.ForeignKey(TemplateCandidate, on_delete=models.CASCADE, related_name="decisions")
    batch = models.UUIDField(help_text="Decisions of one click are undone together.")
    status = models.CharField(max_length=8, choices=TemplateCandidate.Status, help_text="What it became.")
    before = ForeignJSONField(default=dict)
    version = models.PositiveIntegerField(help_text="The candidate's after this decision.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["candidate", "version"], name="decision_once_per_version")]
        indexes = [models.Index(fields=["batch"], name="decisions_of_batch")]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: {self.candidate}"
