"""Our own webhook: a JSON object, signed with the channel's secret. docs/how-to/watch.md tells receivers how to check it."""

import hashlib
import hmac
import json
import time

from ....models import Notification, NotificationChannel
from ..address import find
from ..http import post
from ..words import link


def send(message: Notification, channel: NotificationChannel) -> None:
    told = {
        "id": str(message.pk),
        "event": message.event,
        "phase": message.phase,
        "title": message.title,
        "text": message.text,
        "url": link(message),
        "brand": message.brand.slug if message.brand else None,
        "created_at": message.created_at.isoformat(),
        "after": str(message.after_id) if message.after_id else None,
    }
    body, at = json.dumps(told).encode(), int(time.time())
    headers = {
        "X-Controlplane-Id": str(message.pk),
        "X-Controlplane-Signature": f"t={at},v1={signature(channel.secret, at, body)}",
    }
    post(find(channel.address), body, headers)


def signature(secret: str, at: int, body: bytes) -> str:
    """Of the time too, so that a message which somebody recorded cannot be sent again later."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
