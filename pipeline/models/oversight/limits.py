from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from ..fields import MessageField


class ConcurrencyLimit(models.Model):
    """How many runs may run at once. Empty type and brand: everything that people start. 0: nothing starts.

    A change applies from the next claim.
    """

    job_type = models.CharField(max_length=80, blank=True, default="")
    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE)
    source = models.CharField(
        max_length=40, blank=True, default="", help_text="An upstream account: counts the runs that are running there."
    )
    max_running = models.PositiveIntegerField(help_text="0 = nothing starts")
    max_memory_mb = models.PositiveIntegerField(
        null=True,
        blank=True,
        verbose_name="max memory (MB)",
        help_text="Only for an upstream account: memory of the runs that are running there.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job_type", "brand", "source"], condition=models.Q(brand__isnull=False), name="limit_once_brand"
            ),
            models.UniqueConstraint(
                fields=["job_type", "source"], condition=models.Q(brand__isnull=True), name="limit_once_all_brands"
            ),
        ]

    def __str__(self) -> str:
        scope = [self.job_type, self.source, str(self.brand or "")]
        return f"{' '.join(filter(None, scope)) or 'everything'}: {self.max_running}"


class PauseQuerySet(models.QuerySet["Pause"]):
    def lasting(self, at: datetime) -> "PauseQuerySet":
        """Those that have not come to their end."""
        return self.filter(Q(until=None) | Q(until__gt=at))


class Pause(models.Model):
    """Set by a person: nothing of this type and brand, or of this upstream account, starts. All empty: what people start."""

    job_type = models.CharField(max_length=80, blank=True, default="")
    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE)
    source = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="An upstream account: nothing that uses it starts."
    )
    reason = MessageField(blank=True, default="", db_default="", help_text="Shown wherever something waits for its end.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    since = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, blank=True, help_text="It ends by itself then. Empty: when a person ends it.")

    objects = PauseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(source="") | Q(job_type="", brand__isnull=True), name="pause_of_an_account_is_of_all_its_runs"
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.job_type, self.source, str(self.brand or "")])) or "everything"

    def stops(self, job_type: str, brand_id: UUID | None, source: str) -> bool:
        """Whether it is of this scope, or of the account that runs of that type use."""
        return self.source == source if self.source else (self.job_type, self.brand_id) == (job_type, brand_id)


class Outage(models.Model):
    """A job type's source brings nothing for several brands that had rows before. Its schedules are held until it brings some."""

    job_type = models.CharField(max_length=80)
    reason = MessageField()
    since = models.DateTimeField()
    probe_at = models.DateTimeField(help_text="When one of the held schedules tries again.")
    probe = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["job_type"], condition=Q(ended_at=None), name="outage_once_per_type")]

    def __str__(self) -> str:
        return f"Outage of {self.job_type}"
