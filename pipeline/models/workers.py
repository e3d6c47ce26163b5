import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Count, Max, Q

from .fields import ForeignCharField

SILENT_AFTER = timedelta(seconds=60)  # a worker that has not reported for longer is not counted as alive


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self, at: datetime) -> "WorkerQuerySet":
        """Not stopped, and has reported within SILENT_AFTER."""
        return self.filter(stopped_at=None, last_seen_at__gt=at - SILENT_AFTER)

    def seen(self, at: datetime) -> tuple[int, datetime | None]:
        """How many are alive, and when any of these reported last, in one query: every page asks."""
        alive = Q(stopped_at=None, last_seen_at__gt=at - SILENT_AFTER)
        found = self.aggregate(alive=Count("pk", filter=alive), last=Max("last_seen_at"))
        return found["alive"], found["last"]

    def silent(self, at: datetime, within: timedelta) -> "WorkerQuerySet":
        """Not stopped and not alive, but has reported within `within`."""
        return self.filter(stopped_at=None, last_seen_at__lte=at - SILENT_AFTER, last_seen_at__gt=at - within)


class Worker(models.Model):
    """One process that claims runs. Each new process is a new row."""

    class Kind(models.TextChoices):
        WORKER = "worker", "Worker"
        WEB = "web", "Web server (legacy)"
        COMMAND = "command", "Command (direct)"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = ForeignCharField(max_length=200)
    pid = models.PositiveIntegerField()
    release = ForeignCharField(max_length=80, blank=True, default="", db_default="", help_text="The code that it runs: RELEASE.")
    cluster = models.UUIDField(null=True, blank=True, help_text="Its cluster. Empty for web and command.")
    kind = models.CharField(max_length=10, default=Kind.WORKER, help_text="worker, web or command")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
