"""Ids and times in Apify's format."""

import secrets
import string
from datetime import UTC, datetime

_ALPHABET = string.ascii_letters + string.digits


def opaque_id() -> str:
    """17 letters and digits. Not seeded: after a restart the sandbox must not repeat an id that a database stores."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(17))


def iso(timestamp: float) -> str:
    """Epoch seconds as ISO 8601 with milliseconds and Z."""
    moment = datetime.fromtimestamp(milliseconds(timestamp) / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def milliseconds(timestamp: float) -> int:
    """Epoch milliseconds, truncated as the API shows them, so that filters compare the times that clients saw."""
    return int(timestamp * 1000)


def parse_iso(text: str) -> float:
    """ISO 8601 to epoch seconds; UTC if it names no zone. Raises ValueError if it is not a time."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
