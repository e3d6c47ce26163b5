"""Slack's incoming webhooks, and what understands the same."""

import json

from ....models import Notification, NotificationChannel
from ..address import SLACK_HOSTS, find
from ..http import post
from ..words import link, subject


def send(message: Notification, channel: NotificationChannel) -> None:
    lines = [f"*{_escaped(subject(message))}*", _escaped(message.text)]
    if url := link(message):
        lines.append(f"<{_escaped(url)}|Open>")
    text = "\n".join(filter(None, lines))
    post(find(channel.address, SLACK_HOSTS), json.dumps({"text": text, "unfurl_links": False}).encode(), {})


def _escaped(text: str) -> str:
    """Slack reads <!channel> and <https://…> in it otherwise."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
