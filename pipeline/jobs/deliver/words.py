"""A message as a person reads it."""

from urllib.parse import urljoin

from django.conf import settings

from ...models import Notification

Phase = Notification.Phase


def subject(message: Notification) -> str:
    """'Resolved: 3 Toy runs failed of one cause'."""
    return f"Resolved: {message.title}" if message.phase == Phase.RESOLVED else message.title


def link(message: Notification) -> str:
    """'' where no page tells more."""
    return urljoin(settings.SITE_URL, message.url) if message.url else ""


def body(message: Notification) -> str:
    return "\n\n".join(filter(None, [message.text, link(message)]))
