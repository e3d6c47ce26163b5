from django.conf import settings
from django.db import models
from django.db.models import Q

from ..states import JobStatus
from ..words.zones import validate_time_zone
from .fields import ForeignCharField, ForeignJSONField, MessageField


class Job(models.Model):
    """What to do: a job type with parameters, for a brand or (brand empty) for the platform, once or by a schedule."""

    class Schedule(models.TextChoices):
        ONE_TIME = "one_time", "One time"
        RECURRING = "recurring", "Recurring"

    class Trigger(models.TextChoices):
        MANUAL = "manual", "By hand"
        SCHEDULED = "scheduled", "By schedule"
        API = "api", "By another program"

    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="jobs")
    job_type = models.CharField(max_length=80)
    subject = ForeignCharField(max_length=200, blank=True, default="")
    name = ForeignCharField(max_length=200, blank=True, default="")
    schedule_type = models.CharField(max_length=10, choices=Schedule, default=Schedule.ONE_TIME)
    cron_expression = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="Five fields, like 0 3 * * *. Or fresh 72h, ready 0 9 * * 1-5, once 2026-05-04T09:00.",
    )
    time_zone = models.CharField(max_length=64, blank=True, default="", validators=[validate_time_zone])
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.ACTIVE)
    parameters = ForeignJSONField(default=dict, blank=True)
    trigger_source = models.CharField(max_length=10, choices=Trigger, default=Trigger.MANUAL)
    max_runs = models.PositiveIntegerField(
        null=True, blank=True, help_text="The schedule ends after this many runs. Empty: it never ends."
    )
    runs_completed = models.PositiveIntegerField(default=0)
    max_retries = models.PositiveSmallIntegerField(default=3, help_text="3 = up to four tries.")
    last_error = MessageField(blank=True, default="")
    outage = models.ForeignKey(
        "pipeline.Outage",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        help_text="That paused this schedule, and resumes it.",
    )
    rule = models.ForeignKey(
        "pipeline.ScheduleRule",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        help_text="Keeps this schedule in step with it. Empty: a schedule of its own.",
    )
    rule_version = models.PositiveIntegerField(default=0, db_default=0, help_text="Of the rule, as it is followed here.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # ensure_recurring_job needs these two: one schedule per (brand, type, subject), also for the platform.
            models.UniqueConstraint(
                fields=["brand", "job_type", "subject"],
                name="job_one_recurring_per_brand",
                condition=Q(schedule_type="recurring", brand__isnull=False) & ~Q(status="archived"),
            ),
            models.UniqueConstraint(
                fields=["job_type", "subject"],
                name="job_one_recurring_for_platform",
                condition=Q(schedule_type="recurring", brand__isnull=True) & ~Q(status="archived"),
            ),
            models.CheckConstraint(
                condition=Q(schedule_type="one_time") | ~Q(cron_expression=""),
                name="job_recurring_has_cron",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Job {self.pk}"

    @property
    def recurring(self) -> bool:
        return self.schedule_type == self.Schedule.RECURRING


class ScheduleRule(models.Model):
    """A schedule for many subjects of one job type. The engine keeps one recurring job for each of them in step with it.

    A subject with a schedule of its own is left out.
    """

    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="schedule_rules")
    job_type = models.CharField(max_length=80)
    cadence = models.CharField(max_length=100, blank=True, default="", help_text="As a job's cron expression. Empty: on demand.")
    time_zone = models.CharField(max_length=64, blank=True, default="", validators=[validate_time_zone])
    parameters = ForeignJSONField(default=dict, blank=True)
    every_subject = models.BooleanField(default=True, help_text="New ones included.")
    subjects = ForeignJSONField(default=list, blank=True, help_text="Keys of the chosen subjects, unless it is for all.")
    max_runs = models.PositiveIntegerField(null=True, blank=True, help_text="Of each subject. Empty: it never ends.")
    spread = models.BooleanField(default=False, help_text="Its subjects start one after the other within the hour.")
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts the changes.")
    before = ForeignJSONField(default=dict, blank=True, help_text="The values before the last change, which undo brings back.")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When its subjects were last compared with its jobs.")

    class Meta:
        ordering = ["job_type"]
        constraints = [
            # Two constraints, because a unique index treats each NULL brand as a different one.
            models.UniqueConstraint(fields=["brand", "job_type"], condition=Q(brand__isnull=False), name="rule_once_per_brand"),
            models.UniqueConstraint(fields=["job_type"], condition=Q(brand__isnull=True), name="rule_once_for_platform"),
            models.CheckConstraint(condition=Q(enabled=False) | ~Q(cadence=""), name="rule_enabled_has_cadence"),
        ]

    def __str__(self) -> str:
        return f"Schedule of every {self.job_type}"
