"""A file per kind of channel. Each sends one message, or raises an error of `contract/errors.py` without a secret in it."""

from collections.abc import Callable, Mapping

from ....models import Notification, NotificationChannel
from . import mail, push, slack, webhook

Kind = NotificationChannel.Kind
_SENDERS: Mapping[str, Callable[[Notification, NotificationChannel], None]] = {
    Kind.EMAIL: lambda message, channel: mail.send(message, channel.address),
    Kind.SLACK: slack.send,
    Kind.WEBHOOK: webhook.send,
    Kind.APPRISE: push.send,
}


def send(message: Notification) -> None:
    if message.channel:
        _SENDERS[message.channel.kind](message, message.channel)
    elif message.person:
        mail.send(message, message.person.email)


__all__ = ["send"]
