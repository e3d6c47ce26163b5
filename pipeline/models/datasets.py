from django.db import models
from django.db.models import Q

from .fields import ForeignCharField, ForeignJSONField, MessageField


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
