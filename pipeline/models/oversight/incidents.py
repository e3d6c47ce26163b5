"""What goes wrong, folded by its cause, and what each day came to."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ..fields import ForeignCharField, MessageField


class Incident(models.Model):
    """Runs of one job type that failed for the same reason. At most one of a cause is open.

    `canary`: the one run that is tried again before the others. What became of it is in `fixing`.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SNOOZED = "snoozed", "Snoozed"
        RESOLVED = "resolved", "Resolved"

    class Fixing(models.TextChoices):
        NONE = "", "Nobody has tried"
        TRYING = "trying", "A test run is under way"
        PASSED = "passed", "The test run worked, and the others follow"
        HELD = "held", "The test run did not work, so the others are held"
        FOLLOWED = "followed", "The others were retried"

    UNRESOLVED = (State.OPEN, State.SNOOZED)

    job_type = models.CharField(max_length=80)
    source = models.CharField(max_length=40, blank=True, default="")
    kind = models.CharField(max_length=80, help_text="The class of the error.")
    cause = ForeignCharField(max_length=200, blank=True, default="", help_text="Its words without numbers and names.")
    message = MessageField(help_text="Of the run that failed last.")
    count = models.PositiveIntegerField(default=0, help_text="Times that a run failed of it.")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    snooze_until = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Empty: runs of everything that it was about worked again.",
    )
    note = MessageField(blank=True, default="")
    fixing = models.CharField(max_length=10, choices=Fixing, blank=True, default=Fixing.NONE)
    canary = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    fixed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-id"]
        permissions = [("manage_incident", "Can resolve and snooze incidents")]
        constraints = [
            models.UniqueConstraint(
                fields=["job_type", "source", "kind", "cause"],
                condition=~Q(state="resolved"),
                name="incident_one_unresolved_per_cause",
            ),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False) | (~Q(state="resolved") & Q(resolved_at__isnull=True)),
                name="incident_resolved_at_iff_resolved",
            ),
            models.CheckConstraint(
                condition=Q(state="snoozed", snooze_until__isnull=False) | (~Q(state="snoozed") & Q(snooze_until__isnull=True)),
                name="incident_snooze_until_iff_snoozed",
            ),
        ]
        indexes = [
            models.Index(fields=["-last_seen"], name="incident_resolved_lately", condition=Q(state="resolved")),
            models.Index(fields=["fixing"], name="incident_being_fixed", condition=Q(fixing__in=["trying", "passed"])),
        ]

    def __str__(self) -> str:
        return f"Incident {self.pk}"


class FailedRun(models.Model):
    """A run that failed of an incident. `over_at`: a later run of its subject has worked, or stands for it here.

    `held`: it is retried when the incident's test run has worked.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="failed_runs", db_index=False)
    run = models.ForeignKey("pipeline.Run", on_delete=models.CASCADE, related_name="incidents")
    # Copied from the run, for the index that every run's end reads.
    job_type = models.CharField(max_length=80)
    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject = ForeignCharField(max_length=200, blank=True, default="")
    times = models.PositiveIntegerField(default=1, help_text="That it failed of this.")
    failed_at = models.DateTimeField()
    over_at = models.DateTimeField(null=True, blank=True)
    held = models.BooleanField(default=False)

    class Meta:
        ordering = ["-failed_at"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "run"], name="failed_run_once_per_incident"),
            models.CheckConstraint(condition=Q(held=False) | Q(over_at__isnull=True), name="failed_run_held_only_while_open"),
        ]
        indexes = [
            models.Index(fields=["job_type", "brand", "subject"], name="failed_run_open", condition=Q(over_at=None)),
        ]

    def __str__(self) -> str:
        return f"Run {self.run_id} in incident {self.incident_id}"


class DayFigures(models.Model):
    """What the runs of one type that ended on one day came to. Counted anew from the runs, not kept up by them."""

    day = models.DateField(help_text="In the site's zone.")
    job_type = models.CharField(max_length=80)
    good = models.PositiveIntegerField(default=0)
    doubted = models.PositiveIntegerField(default=0, help_text="Partial or suspicious, not accepted.")
    failed = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="That all completed runs took together.")
    usd = models.DecimalField(max_digits=12, decimal_places=4, default=0, help_text="Paid starts of that day, USD.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.job_type} on {self.day}"


class DayTotal(DayFigures):
    """Of all brands and the platform: thousands of tallies in one row."""

    class Meta:
        ordering = ["day", "job_type"]
        constraints = [models.UniqueConstraint(fields=["day", "job_type"], name="day_total_once")]


class DayTally(DayFigures):
    """Of one brand; empty: the platform."""

    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["day", "job_type"]
        verbose_name_plural = "day tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "job_type", "brand"], condition=Q(brand__isnull=False), name="day_tally_once_per_brand"
            ),
            models.UniqueConstraint(fields=["day", "job_type"], condition=Q(brand=None), name="day_tally_once_for_platform"),
        ]
