import uuid

from django.db import models


class Worker(models.Model):
    """One process that claims runs, from its start to its end; a new process is a new row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    cluster = models.UUIDField(null=True, blank=True, help_text="The cluster it belongs to; empty for web and command.")
    kind = models.CharField(max_length=10, default="worker", help_text="worker, web or command")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
