"""What the address of a file tells before it is opened."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit


def expires_at(url: str) -> datetime | None:
    """When Meta's CDN stops serving a link: its `oe`, which is hex seconds since 1970. None if it has no readable one."""
    try:
        query = dict(parse_qsl(urlsplit(url).query))
        return datetime.fromtimestamp(int(query["oe"], 16), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def has_expired(url: str) -> bool:
    at = expires_at(url)
    return at is not None and at <= datetime.now(UTC)
