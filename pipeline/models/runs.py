from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from ..states import LIVE, TERMINAL, Outcome, RunStatus, Verdict
from .fields import ForeignCharField, ForeignJSONField, MessageField, TracebackField
from .jobs import Job

LIVE_VALUES = [str(status) for status in LIVE]
TERMINAL_VALUES = [str(status) for status in TERMINAL]
# Without runs that wait for their paused job: every claim would read them. Woken runs go on.
READY = Q(status="pending") & (Q(job_paused=False) | Q(priority=0))


def of_subject(key: str) -> Q:
    """Runs, schedules or freshness of a subject, and of what belongs to it: a key that goes on after a blank."""
    return Q(subject=key) | Q(subject__startswith=f"{key} ")


class RunQuerySet(models.QuerySet["Run"]):
    def live(self) -> "RunQuerySet":
        return self.filter(status__in=LIVE_VALUES)

    def ended(self) -> "RunQuerySet":
        return self.filter(status__in=TERMINAL_VALUES)

    def holding(self, *keys: str) -> "RunQuerySet":
        """The live runs with one of these dedupe keys, at most one per key."""
        return self.with_key().filter(dedupe_key__in=keys)

    def with_key(self) -> "RunQuerySet":
        """The live runs that have their dedupe key. A schedule's tick has none before it comes due."""
        return self.live().filter(dedupe_key__isnull=False)

    def in_queue_order(self) -> "RunQuerySet":
        """The order in which the claim takes pending runs that are due."""
        return self.order_by("priority", "order_at", "pk")

    def asked_or_started(self) -> "RunQuerySet":
        """Without a schedule's runs that have not started: a tick to come, or one that was skipped."""
        return self.filter(Q(scheduled_for=None) | Q(started_at__isnull=False))

    def for_rows(self) -> "RunQuerySet":
        """With all that queries.run_row() reads of a run, in one query more for all of them."""
        return self.select_related("job", "brand", "created_by").prefetch_related("upstream_runs")


class Run(models.Model):
    """One execution that is due, running or done. This table is the queue. Only engine/lifecycle and the claim change a state."""

    class Mode(models.TextChoices):
        WORKER = "worker", "On a worker"
        LEGACY = "legacy", "On the web server (legacy)"
        DIRECT = "direct", "In a command's own process"

    class Reuse(models.TextChoices):
        """Which data that is fetched for another run it may use, for free, instead of paying."""

        LIVE = "live", "Only what was fetched since it was asked for"  # or is being fetched
        DONE = "done", "Also what was fetched before"
        ONLY = "only", "Only that: it never pays"

    WOKEN, MANUAL, SCHEDULED = 0, 10, 20  # priority: first a woken run, then a person's click, then a schedule

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="runs")
    brand = models.ForeignKey(
        "pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="runs", db_index=False
    )  # run_of_brand
    job_type = models.CharField(max_length=80)
    parameters = ForeignJSONField(default=dict, blank=True)
    subject = ForeignCharField(max_length=200, blank=True, default="")
    about = ForeignCharField(max_length=200, blank=True, default="", help_text="What the subject stood for then.")
    subject_label = ForeignCharField(max_length=300, blank=True, default="")
    subject_url = ForeignCharField(max_length=500, blank=True, default="")
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.WORKER)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.PENDING)
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True, default="")
    due_at = models.DateTimeField()
    order_at = models.DateTimeField()
    scheduled_for = models.DateTimeField(null=True, blank=True)
    deadline = models.DateTimeField(null=True, blank=True, help_text="When its schedule needs the data.")
    priority = models.PositiveSmallIntegerField(default=MANUAL)
    # Copied from the job of a live run, for the indexes.
    job_paused = models.BooleanField(default=False, db_default=False)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Tries that failed so far.")
    recoveries = models.PositiveSmallIntegerField(default=0, help_text="Worker crashes since the last saved step or page.")
    code_version = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Newest version of the job type's code that recorded a step; 0: none yet."
    )
    dedupe_key = ForeignCharField(max_length=300, null=True, blank=True)  # NULL: has no key
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    # No index here and on the two users below: every index makes each change of status slower.
    worker = models.ForeignKey(
        "pipeline.Worker", null=True, blank=True, on_delete=models.SET_NULL, related_name="runs", db_index=False
    )
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    blocked_reason = MessageField(blank=True, default="")
    blocked_since = models.DateTimeField(null=True, blank=True)
    progress = ForeignJSONField(default=dict, blank=True)
    summary = MessageField(blank=True, default="")
    counts = ForeignJSONField(default=dict, blank=True)
    error_message = MessageField(blank=True, default="")
    trigger_source = models.CharField(max_length=10, choices=Job.Trigger, default=Job.Trigger.MANUAL)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    reuse = models.CharField(max_length=10, choices=Reuse, default=Reuse.LIVE, db_default=Reuse.LIVE)
    asked_at = models.DateTimeField(null=True, help_text="When it was queued, or last retried by a person.")
    cost_estimate = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    cost_actual = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("scrape_run", "Can start scrapes, retry and run again"),
            ("cancel_run", "Can cancel runs"),
            ("replay_run", "Can replay runs"),
            ("accept_run", "Can accept results"),
            ("start_again_run", "Can pay for another start"),
            ("scrape_platform", "Can start scrapes for no single brand"),
        ]
        indexes = [
            # id > 0: PostgreSQL has no hints, and would use this index for one brand too, past 100,000 runs of another.
            models.Index(
                fields=["job_type", "priority", "order_at", "id"], name="run_claim_pending", condition=READY & Q(id__gt=0)
            ),
            models.Index(fields=["due_at"], name="run_claim_waiting", condition=Q(status="waiting")),
            models.Index(
                fields=["due_at"],
                name="run_claim_cancelled",
                condition=Q(status__in=["pending", "waiting"], cancel_requested_at__isnull=False),
            ),
            models.Index(fields=["due_at"], name="run_next_due", condition=Q(status="pending")),
            models.Index(
                fields=["due_at"],
                name="run_next_deadline",
                condition=Q(status="pending", deadline__isnull=False, started_at=None),
            ),
            models.Index(fields=["worker"], name="run_of_worker", condition=Q(status="running")),
            models.Index(fields=["lease_expires_at"], name="run_claim_expired", condition=Q(status="running")),
            models.Index(fields=["job_type", "brand", "priority", "order_at", "id"], name="run_own_line", condition=READY),
            models.Index(fields=["job_type", "brand", "subject", "-id"], name="run_of_subject"),
            # Of what belongs to a subject: few, and no index finds the beginning of a text in every collation.
            models.Index(fields=["brand", "job_type"], name="run_of_part", condition=Q(subject__contains=" ")),
            models.Index(fields=["status", "-completed_at"], name="run_by_status"),
            # For the history of a million runs. The partial ones cost a change of status of most runs nothing.
            models.Index(fields=["brand", "-id"], name="run_of_brand"),
            models.Index(fields=["created_by", "-id"], name="run_by_person", condition=Q(created_by__isnull=False)),
            models.Index(fields=["trigger_source", "-id"], name="run_by_trigger", condition=~Q(trigger_source="scheduled")),
            models.Index(fields=["-completed_at", "-id"], name="run_by_end", condition=Q(completed_at__isnull=False)),
            # With the columns of the filters: runs of these states are few among many, and are counted by the index alone.
            models.Index(
                fields=["-completed_at", "job_type", "brand", "trigger_source", "created_by"],
                name="run_doubted",
                condition=Q(verdict__in=["partial", "suspicious"]),
            ),
            models.Index(
                fields=["status", "-completed_at", "job_type", "brand", "trigger_source", "created_by"],
                name="run_failed_or_cancelled",
                condition=Q(status__in=["failed", "cancelled"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["dedupe_key"], condition=Q(status__in=LIVE_VALUES), name="run_one_live_per_key"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(status__in=LIVE_VALUES, scheduled_for__isnull=False), name="run_one_live_tick_per_job"
            ),
            models.UniqueConstraint(
                fields=["job", "scheduled_for"],
                condition=Q(scheduled_for__isnull=False) & ~Q(status="cancelled"),
                name="run_one_per_tick",
            ),
            models.CheckConstraint(
                condition=Q(status="running", lease_token__isnull=False, lease_expires_at__isnull=False)
                | (~Q(status="running") & Q(lease_token__isnull=True, lease_expires_at__isnull=True)),
                name="run_lease_iff_running",
            ),
            models.CheckConstraint(
                condition=Q(status__in=TERMINAL_VALUES, completed_at__isnull=False)
                | (Q(status__in=LIVE_VALUES) & Q(completed_at__isnull=True)),
                name="run_ended_iff_terminal",
            ),
            models.CheckConstraint(
                condition=(Q(status="completed") & ~Q(verdict="")) | (~Q(status="completed") & Q(verdict="")),
                name="run_verdict_iff_completed",
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("run", args=[self.pk])

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_VALUES


class Attempt(models.Model):
    """One claim of a run by one worker. Never reused. `outcome` is empty while it lasts."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    worker = models.ForeignKey("pipeline.Worker", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    worker_label = ForeignCharField(max_length=200, blank=True, default="")
    lease_token = models.UUIDField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, default="")
    error = MessageField(blank=True, default="")
    traceback = TracebackField(blank=True, default="")
    exit_signal = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="attempt_number_once")]

    def __str__(self) -> str:
        return f"Attempt {self.number} of run {self.run_id}"


class Step(models.Model):
    """A checkpoint: the result of a named part of the run. Resume and retry do not compute it again."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    name = ForeignCharField(max_length=120)
    result = ForeignJSONField(null=True)
    version = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="Of the job type's code that recorded it.")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="step_name_once")]

    def __str__(self) -> str:
        return f"{self.name} of run {self.run_id}"


class RunLog(models.Model):
    """One line of a run's log, saved immediately, not at the run's end."""

    class Level(models.TextChoices):
        INFO = "info", "info"
        WARNING = "warning", "warning"
        ERROR = "error", "error"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="logs")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    message = MessageField()

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="runlog_seq_once")]

    def __str__(self) -> str:
        return f"{self.seq}: {self.message}"


class Event(models.Model):
    """What happened to a job, run, limit, upstream account or the settings of a subject, and who did it."""

    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=60)
    message = MessageField()
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    rule = models.ForeignKey("pipeline.ScheduleRule", null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    brand = models.ForeignKey(
        "pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )  # event_of_subject
    job_type = models.CharField(max_length=80, blank=True, default="", db_default="")
    subject = ForeignCharField(max_length=200, blank=True, default="", db_default="", help_text="Whose settings were changed.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-id"]
        permissions = [("audit_event", "Can see who did what")]
        indexes = [
            models.Index(fields=["brand", "subject"], name="event_of_subject", condition=~Q(subject="")),
            models.Index(fields=["kind"], name="event_of_kind"),  # a page of the audit log, of a group that is rare
        ]

    def __str__(self) -> str:
        return self.message
