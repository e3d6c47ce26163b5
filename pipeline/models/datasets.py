from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, When

from .fields import ForeignCharField, ForeignJSONField, MessageField

RUNS_KEPT = 14  # whose ends a row tells
NUMBER = 10  # digits of a run's number there, so that a newer run sorts behind an older one
MARKS = RUNS_KEPT * (NUMBER + 1)  # characters of all of them
LEAST_AGE, MOST_AGE = timedelta(hours=1), timedelta(days=366)


class MaxAge(models.Model):
    """How old one kind of data may be and still count as fresh, for one brand (empty: the platform), as a manager has set it."""

    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    dataset_key = models.CharField(max_length=80)
    max_age = models.DurationField(null=True, blank=True, help_text="Empty: what its job type says.")
    before = models.DurationField(null=True, blank=True, help_text="What it was until the last change.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["dataset_key"]
        constraints = [
            # Two constraints, because a unique index treats each NULL brand as a different one.
            models.UniqueConstraint(
                fields=["brand", "dataset_key"], condition=Q(brand__isnull=False), name="max_age_once_per_brand"
            ),
            models.UniqueConstraint(fields=["dataset_key"], condition=Q(brand__isnull=True), name="max_age_once_for_platform"),
            models.CheckConstraint(
                condition=Q(max_age__isnull=True) | Q(max_age__gte=LEAST_AGE, max_age__lte=MOST_AGE), name="max_age_is_sensible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_key} of {self.brand or 'the platform'}"


class DatasetStatusQuerySet(models.QuerySet["DatasetStatus"]):
    def for_rows(self) -> "DatasetStatusQuerySet":
        """With all that freshness_row() reads of them, in the same query."""
        ages = MaxAge.objects.filter(dataset_key=OuterRef("dataset_key")).values("max_age")
        own = Case(
            When(brand=None, then=Subquery(ages.filter(brand=None))), default=Subquery(ages.filter(brand=OuterRef("brand")))
        )
        return self.select_related("last_run").annotate(own_max_age=own)


class DatasetStatus(models.Model):
    """How fresh one kind of data is, for one brand (empty: the platform) and one subject ('' if it has none)."""

    class Last(models.TextChoices):
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        RUNNING = "running", "Running"  # a worker is at it, or its paid run is under way upstream
        WAITING = "waiting", "Waiting"  # its run was taken up and is not over, but nobody works on it; error_message says why
        UNKNOWN = "unknown", "Unknown"

    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="datasets")
    dataset_key = models.CharField(max_length=80)
    subject = ForeignCharField(max_length=200, blank=True, default="")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_status = models.CharField(max_length=10, choices=Last, default=Last.UNKNOWN)
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    records_affected = models.PositiveIntegerField(null=True, blank=True)
    error_message = MessageField(blank=True, default="")
    metadata = ForeignJSONField(default=dict, blank=True)
    recent_ends = models.CharField(
        max_length=MARKS,
        default="",
        db_default="",
        blank=True,
        help_text="The last runs that have ended, oldest first: number of the run and letter of its end.",
    )

    objects = DatasetStatusQuerySet.as_manager()
    own_max_age: timedelta | None = None  # what a manager has set, where for_rows() has read the row

    class End(models.TextChoices):
        """How a run ended for this data. Of one run's several ends, for subjects of a brand, the last one here says most."""

        COMPLETED = "c", "Completed"
        DOUBTED = "d", "Check"
        FAILED = "f", "Failed"
        CANCELLED = "x", "Cancelled"

    class Meta:
        ordering = ["dataset_key", "subject"]
        verbose_name_plural = "dataset statuses"
        constraints = [
            # Two constraints, because a unique index treats each NULL brand as a different one.
            models.UniqueConstraint(
                fields=["brand", "dataset_key", "subject"], condition=Q(brand__isnull=False), name="dataset_once_per_brand"
            ),
            models.UniqueConstraint(
                fields=["dataset_key", "subject"], condition=Q(brand__isnull=True), name="dataset_once_for_platform"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_key} {self.subject}".strip()
