from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Coalesce, Greatest

from .fields import ForeignCharField, ForeignJSONField, MessageField


class UpstreamRunQuerySet(models.QuerySet["UpstreamRun"]):
    def of_runs(self, runs: Any) -> "UpstreamRunQuerySet":
        """Those that these runs (a queryset or a list) started or use."""
        started = UpstreamRun.objects.filter(run__in=runs).order_by().values("pk")
        used = Reuse.objects.filter(run__in=runs).order_by().values("upstream_run")
        return self.filter(pk__in=started.union(used))  # not an OR: PostgreSQL would read the whole table

    def paid(self) -> "UpstreamRunQuerySet":
        """Without those that cost nothing for sure. `cost`: USD, until it is final as estimated, or more if that is known."""
        so_far = Greatest("cost_estimate", Coalesce("cost_actual", "cost_estimate"))
        cost = Case(When(cost_settled=True, then="cost_actual"), default=so_far)
        return self.exclude(status__in=self.model.NOTHING).annotate(cost=cost)


class UpstreamRun(models.Model):
    """The ledger: one row per intended paid start, written before the request is sent."""

    class Status(models.TextChoices):
        INTENT = "intent", "Requested, no answer yet"  # the request may or may not have been sent
        REFUSED = "refused", "Refused"  # the upstream said no; nothing was started
        VOID = "void", "Never started"  # the upstream, asked later, does not have it
        UNKNOWN = "unknown", "Unknown"  # several runs could be it, or the upstream cannot be asked
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        TIMED_OUT = "timed_out", "Timed out"
        ABORTED = "aborted", "Aborted"
        GONE = "gone", "Gone"

    UNCLEAR = (Status.INTENT, Status.UNKNOWN)  # it is not known whether the upstream started it
    NOTHING = (Status.REFUSED, Status.VOID)
    OPEN = (*UNCLEAR, Status.RUNNING)  # may still cost money
    ENDED_WORDS = {  # "Apify's run …"
        Status.SUCCEEDED: "succeeded",
        Status.FAILED: "failed",
        Status.TIMED_OUT: "timed out",
        Status.ABORTED: "was aborted",
        Status.GONE: "is gone",
    }
    ENDED = tuple(ENDED_WORDS)
    MARGIN_ITEMS = 1000  # an upstream may stop a little late, or be given a second life

    run = models.ForeignKey("pipeline.Run", on_delete=models.CASCADE, related_name="upstream_runs")
    step = ForeignCharField(max_length=120)
    source = models.CharField(max_length=40)
    actor = ForeignCharField(max_length=200)
    intent = models.PositiveIntegerField(help_text="Number of this paid start within its step, from 1.")
    tag = models.CharField(max_length=40, unique=True)
    fingerprint = models.CharField(max_length=64)
    reuse_key = ForeignCharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Equal for starts that fetch the same data. Empty: never shared.",
    )
    upstream_id = ForeignCharField(max_length=80, null=True, blank=True)  # NULL: not known (yet)
    status = models.CharField(max_length=10, choices=Status, default=Status.INTENT)
    intent_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    deadline = models.DateTimeField(help_text="Its own time-out plus a margin. We ask the upstream by then.")
    cost_estimate = models.DecimalField(max_digits=10, decimal_places=4)
    price_per_item = models.DecimalField(
        max_digits=10, decimal_places=6, default=0, help_text="USD. Used if the upstream reports no cost."
    )
    cost_cap = models.DecimalField(max_digits=10, decimal_places=4)
    max_items = models.PositiveIntegerField()
    memory_mb = models.PositiveIntegerField(default=0)
    cost_actual = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    cost_settled = models.BooleanField(default=False)
    capped = models.BooleanField(default=False, help_text="Reached its item or cost cap, so some data is missing.")
    read_offset = models.PositiveIntegerField(default=0, help_text="Upstream rows saved so far.")
    read_complete = models.BooleanField(default=False)
    extra = ForeignJSONField(default=dict, blank=True)
    message = MessageField(blank=True, default="")

    objects = UpstreamRunQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "upstream_id"], name="upstream_id_once"),
            models.UniqueConstraint(fields=["run", "step", "intent"], name="upstream_intent_once"),
            # One open start per step: the database itself refuses to pay twice.
            models.UniqueConstraint(
                fields=["run", "step"],
                condition=Q(status__in=["intent", "unknown", "running"]),
                name="upstream_one_open_per_step",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "status"], name="upstream_by_status"),
            models.Index(fields=["intent_at"], name="upstream_by_day"),
            models.Index(fields=["reuse_key", "-intent_at"], name="upstream_by_reuse_key", condition=~Q(reuse_key="")),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.upstream_id or self.tag}"

    @classmethod
    def unfinished(cls) -> Q:
        """Runs that are or may be running upstream, and ended runs whose items are not all saved."""
        return Q(status__in=cls.OPEN) | Q(status__in=cls.ENDED, read_complete=False, upstream_id__isnull=False)

    @property
    def expected_cost(self) -> Decimal:
        """USD, the same as `cost` of paid(), for a row that is read already."""
        if self.cost_settled and self.cost_actual is not None:
            return self.cost_actual
        return max(self.cost_estimate, self.cost_actual or Decimal(0))

    @property
    def ended(self) -> bool:
        return self.status in self.ENDED

    @property
    def most_items(self) -> int:
        """No more are read: no order can have bought so many."""
        return 2 * self.max_items + self.MARGIN_ITEMS

    @property
    def endless(self) -> bool:
        """Reading was stopped, since the upstream had sent more than can have been bought."""
        return self.read_offset >= self.most_items


class Reuse(models.Model):
    """Instead of paying, a step of a run uses what another run's paid start fetches or has fetched."""

    run = models.ForeignKey("pipeline.Run", on_delete=models.CASCADE, related_name="reuses")
    step = ForeignCharField(max_length=120)
    upstream_run = models.ForeignKey(UpstreamRun, null=True, on_delete=models.SET_NULL, related_name="reuses")
    joined_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True, help_text="When its data was fetched. Empty: it is still being fetched.")
    read_offset = models.PositiveIntegerField(default=0, help_text="Rows of the other run's pages saved so far.")
    became = models.BinaryField(default=bytes, help_text="What became of those rows, by key. Compressed JSON.")
    words = MessageField(blank=True, default="", help_text="What it uses. They stay when the other run is deleted.")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="reuse_once_per_step")]

    def __str__(self) -> str:
        return f"{self.step} of run {self.run_id}"


class RawPage(models.Model):
    """What the upstream sent, compressed, so that a replay is free. Private: no page shows it."""

    upstream_run = models.ForeignKey(UpstreamRun, on_delete=models.CASCADE, related_name="pages")
    offset = models.PositiveIntegerField()
    next_offset = models.PositiveIntegerField()
    items = models.PositiveIntegerField()
    payload = models.BinaryField()
    became = models.BinaryField(default=bytes, help_text="What became of its rows, by key. Compressed JSON.")

    class Meta:
        ordering = ["offset"]
        constraints = [models.UniqueConstraint(fields=["upstream_run", "offset"], name="rawpage_offset_once")]

    def __str__(self) -> str:
        return f"{self.items} items from {self.offset}"


class RejectedItem(models.Model):
    """An item that could not be saved as a row, with the reason."""

    run = models.ForeignKey("pipeline.Run", on_delete=models.CASCADE, related_name="rejected")
    upstream_run = models.ForeignKey(UpstreamRun, null=True, on_delete=models.CASCADE, related_name="rejected")
    offset = models.PositiveIntegerField(default=0, help_text="Offset of its page.")
    reason = ForeignCharField(max_length=200)
    item = ForeignJSONField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.reason


class SourceState(models.Model):
    """What is known about an upstream account, shared by all workers."""

    source = models.CharField(max_length=40, unique=True)
    slow_until = models.DateTimeField(null=True, blank=True, help_text="It asked us to slow down: no requests until then.")
    slow_count = models.PositiveIntegerField(default=0, help_text="Times in a row that it asked us to slow down.")
    failures = models.PositiveIntegerField(default=0, help_text="Failed calls in a row.")
    blocked_until = models.DateTimeField(null=True, blank=True, help_text="It is down: time of the next check. Empty: it is up.")
    blocked_reason = MessageField(blank=True, default="")
    next_poll_at = models.DateTimeField(null=True, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.source


class ActorPrice(models.Model):
    """What one item of an actor costs, as its upstream told when it was last asked. USD; empty: not told, or not per item."""

    source = models.CharField(max_length=40)
    actor = ForeignCharField(max_length=200)
    usd = models.DecimalField(max_digits=10, decimal_places=6, null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    next_usd = models.DecimalField(max_digits=10, decimal_places=6, null=True, blank=True)
    next_from = models.DateTimeField(null=True, blank=True, help_text="An announced price counts from then on.")
    warning = MessageField(blank=True, default="")
    read_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it could not be read yet.")
    next_read_at = models.DateTimeField()

    class Meta:
        ordering = ["source", "actor"]
        constraints = [models.UniqueConstraint(fields=["source", "actor"], name="actor_price_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.actor}"

    def at(self, moment: datetime) -> Decimal | None:
        """The price that counts at that time."""
        return self.next_usd if self.next_from and self.next_from <= moment else self.usd
