"""Ids and times in the shape that Apify gives them."""

import secrets
import string
from datetime import UTC, datetime

_ALPHABET = string.ascii_letters + string.digits


def opaque_id() -> str:
    """17 letters and digits. Never seeded: a restarted sandbox must not hand out an id that a database already holds."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(17))


def iso(timestamp: float) -> str:
    """Epoch seconds as ISO 8601 with milliseconds and Z."""
    moment = datetime.fromtimestamp(milliseconds(timestamp) / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def milliseconds(timestamp: float) -> int:
    """Epoch seconds cut to the milliseconds that the API shows, so that a filter compares what a client was told."""
    return int(timestamp * 1000)


def parse_iso(text: str) -> float:
    """ISO 8601 to epoch seconds. A time without a zone is UTC; raises ValueError when it is no time."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
