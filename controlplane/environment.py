"""Reads environment variables for the settings.

A wrong value causes no traceback here: it is noted in PROBLEMS and replaced by the default. Then `manage.py check` reports it in
one line and stops.
"""

import os
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from environ import Env

T = TypeVar("T")
MAIL_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl")
PROBLEMS: list[tuple[str, str]] = []  # (variable, what is wrong and what to do)
FLAGS = {
    **dict.fromkeys(("1", "true", "yes", "on", "y", "t"), True),
    **dict.fromkeys(("0", "false", "no", "off", "n", "f", ""), False),
}


def text(name: str, default: str = "") -> str:
    """The value as it is, without blanks at its ends: one that was read from a file may end with a newline."""
    return os.environ.get(name, default).strip()


def names(name: str, default: list[str]) -> list[str]:
    """A list that is separated by commas. Blanks around its parts and empty parts do not count."""
    if name not in os.environ:
        return default
    return [part.strip() for part in text(name).split(",") if part.strip()]


def secrets(name: str, key: str) -> dict[str, str]:
    """`key=secret` entries, separated by commas; a key matches the pattern. What is wrong is not repeated: it may be a secret."""
    found = {}
    for entry in names(name, []):
        named, _, secret = entry.partition("=")
        if not re.fullmatch(key, named.strip()) or not secret.strip():
            PROBLEMS.append((name, f"{name} has an entry that cannot be read. Write act_123=token,act_456=token."))
            return {}
        found[named.strip()] = secret.strip()
    return found


def flag(name: str, default: bool = False) -> bool:
    return _read(name, default, lambda value: FLAGS[value.lower()], "is neither yes nor no", "Use 1 or 0.")


def integer(name: str, default: int, *, at_least: int) -> int:
    return _read(name, default, lambda value: _at_least(int(value), at_least), f"is not a whole number from {at_least}", "")


def number(name: str, default: float, *, at_least: float) -> float:
    return _read(name, default, lambda value: _at_least(float(value), at_least), f"is not a number from {at_least:g}", "")


def mail_server(name: str) -> dict[str, Any]:
    """Django's settings for it; {} where it is not set. What is wrong is not repeated: it may have a password."""
    if not (url := text(name)):
        return {}
    try:
        scheme = urlsplit(url).scheme
        if not _with_host(url.replace(scheme, "https", 1)) or scheme not in MAIL_SCHEMES:
            raise ValueError
        found = dict(Env.email_url_config(url))
    except (ValueError, KeyError, ImproperlyConfigured):
        PROBLEMS.append((name, f"{name} cannot be read. Write smtp+tls://user:password@mail.example.com:587."))
        return {}
    return {key: value for key, value in found.items() if key != "EMAIL_FILE_PATH"}


def usd(name: str, default: str) -> Decimal:
    return _read(name, Decimal(default), lambda value: _at_least(Decimal(value), 0), "is not an amount from 0", "")


def web_address(name: str, default: str) -> str:
    return _read(name, default, _with_host, "is not a web address", "Use a form like https://api.example.com.")


def time_zone(name: str, default: str) -> str:
    return _read(name, default, lambda value: ZoneInfo(value).key, "is not a time zone", "Use a name like Europe/Berlin.")


def day(name: str) -> date | None:
    """None where it is not set."""
    return _read(name, None, date.fromisoformat, "is not a day", "Use a form like 2028-05-31.")


def matching(name: str, default: str, pattern: str) -> str:
    return _read(name, default, lambda value: _matched(value, pattern), "has another form", f"Use one like {default}.")


def _read(name: str, default: T, kind: Callable[[str], T], wrong: str, instead: str) -> T:
    if name not in os.environ:
        return default
    try:
        return kind(text(name))
    except (ValueError, KeyError, OSError, InvalidOperation):
        words = f"{name} {wrong}: {text(name)!r}. {instead or 'Correct it.'} Without it, the default is {default}."
        PROBLEMS.append((name, words))
        return default


def _at_least(value: T, least: float) -> T:
    # Also refuses NaN, which is neither smaller nor larger than anything, and infinity.
    if not least <= value < float("inf"):  # type: ignore[operator]
        raise ValueError
    return value


def _with_host(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # a port that is no number raises
        raise ValueError
    return url


def _matched(value: str, pattern: str) -> str:
    if not re.fullmatch(pattern, value):
        raise ValueError
    return value
