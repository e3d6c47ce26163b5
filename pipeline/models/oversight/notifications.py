"""Who is told what: channels and rules that managers set, what is wrong by a rule, and messages with the run that sends each."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ..fields import ForeignCharField, MessageField, NameField, SecretField, TracebackField


class NotificationChannel(models.Model):
    """Where messages go. Its address and secret are encrypted, and never shown again."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        SLACK = "slack", "Slack"
        WEBHOOK = "webhook", "Webhook"
        APPRISE = "apprise", "Another service"

    name = NameField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind)
    address = SecretField()
    secret = SecretField(blank=True, default="", help_text="Signs what a webhook gets.")
    shown = ForeignCharField(max_length=300, help_text="What pages show of the address.")
    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class NotificationRule(models.Model):
    """When a channel gets a message. Brand empty: all brands. Channel empty: whoever queued the run, by e-mail."""

    class Event(models.TextChoices):
        FAILED = "failed", "Runs failed for good"
        NEEDS = "needs", "A result or a paid start needs a person"
        STALE = "stale", "Data is stale"
        LATE = "late", "A run misses the time its data is needed by"
        CLOSED = "closed", "An upstream is down or rejects us"
        LIMIT = "limit", "80 % of the day's spend limit is used"
        NO_WORKER = "no_worker", "No worker is alive"
        TOKEN = "token", "An access token ends within 7 days"
        FINISHED = "finished", "A run that somebody queued has finished"

    OF_ALL_BRANDS = (Event.CLOSED, Event.LIMIT, Event.NO_WORKER)  # these concern no single brand

    event = models.CharField(max_length=10, choices=Event)
    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    channel = models.ForeignKey(NotificationChannel, null=True, blank=True, on_delete=models.CASCADE, related_name="rules")
    enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    switched_on_at = models.DateTimeField(null=True, blank=True, help_text="Nothing is told of runs that had ended before.")
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When a worker last looked for what it is about.")

    class Meta:
        ordering = ["event", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__isnull=False) | Q(event="finished"), name="notification_rule_has_a_channel"
            ),
            models.CheckConstraint(
                condition=Q(brand__isnull=True) | ~Q(event__in=["closed", "limit", "no_worker"]), name="notification_rule_of_all"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()}: {self.brand or 'all brands'}"


class Notification(models.Model):
    """One message. Written together with what it tells; a run of its own sends it. Receivers know a repeated one by its id."""

    class Phase(models.TextChoices):
        OPENED = "opened", "New"
        RESOLVED = "resolved", "Resolved"
        FINISHED = "finished", "Finished"
        TEST = "test", "Test"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(NotificationRule, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    channel = models.ForeignKey(NotificationChannel, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Gets it by e-mail, without a channel.",
    )
    brand = models.ForeignKey("pipeline.Brand", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=10, choices=NotificationRule.Event, blank=True, default="")
    phase = models.CharField(max_length=10, choices=Phase)
    title = MessageField()
    text = TracebackField(blank=True, default="")
    url = ForeignCharField(max_length=500, blank=True, default="", help_text="A path of this site.")
    after = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["-created_at"], name="notification_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__isnull=False) | Q(person__isnull=False), name="notification_goes_somewhere"
            )
        ]

    def __str__(self) -> str:
        return self.title


class Trouble(models.Model):
    """What is, or was, wrong by a rule. One row for one incident, whatever number of runs it has."""

    rule = models.ForeignKey(NotificationRule, on_delete=models.CASCADE, related_name="troubles")
    key = ForeignCharField(max_length=200)
    title = MessageField()
    since = models.DateTimeField()
    over_at = models.DateTimeField(null=True, blank=True)
    told = models.ForeignKey(Notification, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "key"], condition=Q(over_at=None), name="trouble_once_per_rule"),
        ]

    def __str__(self) -> str:
        return self.title
