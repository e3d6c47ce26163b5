"""Channels and rules of notifications, and messages: each is written together with the run that sends it."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from ...contract.errors import NotAllowed
from ...engine.database import now
from ...models import Job, Notification, NotificationChannel, NotificationRule
from ...people import brands_for, require
from ..enqueue import queue_one_time_job
from .limits import record_change

DELIVER = "deliver"  # the job type that sends messages
RETRIES = 6  # over about three hours


def save_channel(channel: NotificationChannel, by: Any) -> None:
    """A new channel, or a change of this one. A change without an address keeps the one that is stored."""
    _require(by, "add" if channel._state.adding else "change", channel)
    what = "added" if channel._state.adding else "changed"
    channel.created_by = channel.created_by or by
    with transaction.atomic():
        channel.save()
        _tell(what, channel, by)


def save_notification_rule(rule: NotificationRule, by: Any) -> None:
    """A new rule, or this one switched on or off. NotAllowed if the channel is told of the same already."""
    _require(by, "add" if rule._state.adding else "change", rule)
    if rule.channel:
        _require(by, "change", rule.channel)
        if rule.channel.brand_id not in (None, rule.brand_id):  # who may change its address may not see other brands
            raise NotAllowed(f"The channel {rule.channel} is of one brand. Choose that brand, or another channel.")
    what = "added" if rule._state.adding else "changed"
    rule.created_by = rule.created_by or by
    with transaction.atomic():
        wider = Q(brand=None) if rule.brand_id is None else Q(brand=None) | Q(brand=rule.brand_id)
        same = NotificationRule.objects.filter(wider, event=rule.event, channel=rule.channel).exclude(pk=rule.pk)
        if rule.enabled and same.exists():
            raise NotAllowed("This channel is told of the same already. Remove that rule first, or choose others.")
        if rule.enabled and not NotificationRule.objects.filter(pk=rule.pk, enabled=True).exists():
            rule.switched_on_at, rule.looked_at = now(), None
        rule.save()
        if not rule.enabled:
            rule.troubles.filter(over_at=None).update(over_at=now())  # nobody is told: it was switched off
        _tell(what, rule, by)


def remove_notification(row: NotificationChannel | NotificationRule, by: Any) -> None:
    """A channel goes with its rules and messages."""
    _require(by, "delete", row)
    with transaction.atomic():
        _tell("removed", row, by)
        row.delete()


def send_test(channel: NotificationChannel, by: Any) -> Notification:
    """A message that goes the way of all others: a run sends it."""
    _require(by, "change", channel)
    text = f"{by or 'Somebody'} has sent it to see whether messages arrive here. They do."
    return write_notification(
        Notification(
            channel=channel,
            brand_id=channel.brand_id,
            phase=Notification.Phase.TEST,
            title=f"A test message for {channel}",
            text=text,
        ),
        by=by,
    )


def write_notification(message: Notification, *, by: Any = None) -> Notification:
    """Message and run in one transaction, so that neither is without the other."""
    with transaction.atomic():
        message.created_at = now()
        message.save(force_insert=True)
        message.run = queue_one_time_job(
            message.brand_id,
            DELIVER,
            {"notification": str(message.pk)},
            trigger_source=Job.Trigger.MANUAL if by else Job.Trigger.API,
            max_retries=RETRIES,
            created_by=by,
        ).run
        message.save(update_fields=["run"])
    return message


def mark_sent(message: UUID) -> None:
    Notification.objects.filter(pk=message, sent_at=None).update(sent_at=now())


def _require(by: Any, action: str, row: NotificationChannel | NotificationRule) -> None:
    require(by, f"pipeline.{action}_{row._meta.model_name}", row.brand_id)
    if row.brand_id is None and not brands_for(by).every:
        raise NotAllowed("This is for all brands. Only somebody who sees all of them can change it.")


def _tell(what: str, row: NotificationChannel | NotificationRule, by: Any) -> None:
    kind = str(row._meta.verbose_name).capitalize()
    record_change(str(row._meta.model_name), f"{kind} “{row}” was {what} by {by or 'the system'}.", by)
