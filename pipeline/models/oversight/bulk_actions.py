"""What a person does to many runs at once."""

from urllib.parse import parse_qs

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from ...states import RunStatus
from ..fields import MessageField


class BulkAction(models.Model):
    """One action on the runs that a filter of the history found. `items` are these runs as they were then.

    `token` comes with the page that asks for the click: the same page sent twice is one action.
    """

    class Kind(models.TextChoices):
        CANCEL = "cancel", "Cancel"
        RETRY = "retry", "Retry"
        RUN_NOW = "run_now", "Run now"

    MOST = 1000  # runs

    token = models.UUIDField(unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    query = models.TextField(help_text="The filter, as in the address of the history.")
    words = MessageField(help_text="The filter as people read it.")
    count = models.PositiveIntegerField()
    cost = models.DecimalField(
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="USD, about, as told before the click. Of a cancel: what it saves at most. Empty: nothing is paid.",
    )
    frozen_at = models.DateTimeField(help_text="When the filter found these runs.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="It stops when this person may no longer do it.",
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    aborted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    stopped = MessageField(blank=True, default="", help_text="Why it ended before its last run.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(count__gte=1, count__lte=1000), name="bulk_action_of_some_runs"),
            models.CheckConstraint(condition=~Q(query=""), name="bulk_action_has_a_filter"),
            models.CheckConstraint(condition=Q(stopped="") | Q(finished_at__isnull=False), name="bulk_action_stopped_is_over"),
        ]
        indexes = [models.Index(fields=["id"], name="bulk_action_unfinished", condition=Q(finished_at=None))]

    def __str__(self) -> str:
        return f"Bulk action {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("bulk_action", args=[self.pk])

    @property
    def of_one_state(self) -> bool:
        """Whether the filter names a state: a run that has left it since is no longer meant."""
        return "status" in parse_qs(self.query)


class BulkItem(models.Model):
    """One run of a bulk action. It is written in the transaction that acts on the run, so that no crash parts the two."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"

    action = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="items", db_index=False)
    run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    number = models.BigIntegerField(help_text="Of the run, also when that is deleted.")
    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    was = models.CharField(max_length=10, choices=RunStatus, help_text="The run's state when the filter found it.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    message = MessageField(blank=True, default="", help_text="Why nothing was done.")
    at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["action", "number"], name="bulk_item_once_per_run"),
            models.CheckConstraint(
                condition=Q(state="waiting", at__isnull=True) | (~Q(state="waiting") & Q(at__isnull=False)),
                name="bulk_item_at_iff_settled",
            ),
        ]
        indexes = [models.Index(fields=["action", "number"], name="bulk_item_next", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"Run {self.number} in bulk action {self.action_id}"
