"""Text and JSON from outside: made storable in both databases, harmless to show, and free of our secrets.

The columns of `models/fields.py` and the formatter of the process's log use it.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings

MAX_DEPTH = 100  # levels of nested JSON that are stored; both databases and Python refuse a few hundred or thousand
MAX_DIGITS, MAX_BITS = 300, 1000  # of a JSON number; a longer one is stored as text: Python and the databases limit them
MAX_KEY = 1000  # characters of a JSON key
TOO_DEEP = f"(left out: nested deeper than {MAX_DEPTH} levels)"
SHORTEST_SECRET = 8  # characters: a shorter value may be an ordinary word

_strict = msgspec.json.Decoder()
_LONG_NUMBER, _ALL_ZEROS = b"0" * (MAX_DIGITS + 1), bytes.maketrans(b"123456789", b"0" * 9)
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_HARMFUL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff{_BIDI}]")  # all controls but tab and newline
_SECRETS = (
    re.compile(r"(?i)\b(bearer\s+|authorization[\"']?\s*[:=]\s*[\"']?basic\s+)[\w.~+/=-]{6,}"),
    re.compile(r"(?i)((?:x-api-key|cookie)[\"']?\s*:\s*[\"']?)[^\s\"']+"),
    re.compile(r"\b([a-z]+_api_)(?=\w*\d)[A-Za-z0-9]{10,}"),
    re.compile(
        r"(?i)((?:token|api[_-]?key|password|passwd|secret|appsecret_proof)[\"']?\s*(?:=|%3D|\":|':)\s*[\"']?)[^\s&\"'<>,;)]+"
    ),
    re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)"),
)


def storable(text: str) -> str:
    """The text without NUL, and with U+FFFD for each half of a surrogate pair: the databases refuse both."""
    text = text.replace("\0", "")
    return text if _has_no_surrogate(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def are_storable(texts: Sequence[Any], most: int) -> bool:
    """Whether all are texts of at most this many characters that the databases take as they are. Much quicker than one by one."""
    try:
        together = "".join(texts)
    except TypeError:
        return False
    return "\0" not in together and _has_no_surrogate(together) and max(map(len, texts), default=0) <= most


def _has_no_surrogate(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def shortened(text: str, most: int) -> str:
    """At most this many characters; a cut shows as …"""
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"


def identity(text: str, most: int) -> str:
    """The text as a key of at most this many characters. A longer one ends with a digest: two of them must not become one row."""
    clean = storable(text)
    if len(clean) <= most:
        return clean
    digest = hashlib.sha256(clean.encode()).hexdigest()[: most // 2]
    return f"{clean[: most - len(digest) - 1]}…{digest}"


def storable_json(value: Any, depth: int = 0) -> Any:
    """The value as both databases store it and give it back, with sorted keys, since SQLite compares JSON as text.

    What they cannot hold becomes text: NaN, an infinity, a number of more than MAX_DIGITS digits. Keys that become equal get
    a number. Deeper levels than MAX_DEPTH are left out.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return shortened(storable(value), settings.PIPELINE_TEXT_CHARACTERS)
    if isinstance(value, int):
        return value if value.bit_length() <= MAX_BITS else shortened(hex(value), settings.PIPELINE_TEXT_CHARACTERS)
    if isinstance(value, float):
        return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if not isinstance(value, dict | list | tuple):
        return value  # not JSON, so a bug of ours: the encoder says so
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    if not isinstance(value, dict):
        return [storable_json(item, depth + 1) for item in value]
    stored: dict[str, Any] = {}
    for name in sorted(value, key=str):
        key = clean = shortened(storable(name if isinstance(name, str) else json.dumps(name, default=str)), MAX_KEY)
        number = 1
        while key in stored:
            number += 1
            key = f"{clean} ({number})"
        stored[key] = storable_json(value[name], depth + 1)
    return stored


class TooDeep(ValueError):
    """JSON that is nested more deeply than Python can read."""


def read_json(body: bytes) -> Any:
    """Parse JSON from outside, leniently: wrong bytes become U+FFFD, a number that cannot be held keeps its digits, as text.

    ValueError if it is not JSON.
    """
    # msgspec takes half the time, refuses all that must be read leniently, and reads the rest as Python does, only with
    # longer whole numbers.
    if _LONG_NUMBER not in body.translate(_ALL_ZEROS):
        try:
            return _strict.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
    return read_leniently(body)


def read_leniently(body: bytes) -> Any:
    """As `read_json`, for what is not strictly JSON."""
    text = body.decode("utf-8-sig", "replace")
    try:
        return json.loads(text, strict=False, parse_int=_whole, parse_float=_real, parse_constant=str)
    except RecursionError:
        raise TooDeep("it is nested too deeply") from None


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def _real(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def harmless(text: str, *, lines: bool = False) -> str:
    """The text with control and bidirectional characters escaped, as \\x1b or \\u202e. `lines`: keep line breaks."""
    if not lines and "\n" in text:
        text = text.replace("\r\n", "\n").replace("\n", "\\n")
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


def without_secrets(text: str) -> str:
    """The text with our secrets, and whatever stands where secrets stand, replaced by [secret]."""
    for secret in _own_secrets():
        text = text.replace(secret, "[secret]")
    for pattern in _SECRETS:
        text = pattern.sub(r"\1[secret]", text)
    return text


def _own_secrets() -> list[str]:
    """The values of the settings named in SECRET_SETTINGS, and the database's password. Mappings and lists have several."""
    given = [getattr(settings, name, "") for name in settings.SECRET_SETTINGS]
    several = (one.values() if isinstance(one, Mapping) else one if isinstance(one, list) else [one] for one in given)
    values = [secret for secrets in several for secret in secrets]
    values += [database.get("PASSWORD") for database in settings.DATABASES.values()]
    secrets = {str(value) for value in values if value and len(str(value)) >= SHORTEST_SECRET}
    return sorted(secrets | {quote(secret, safe="") for secret in secrets}, key=len, reverse=True)  # as in an address too


def message(text: str, most: int, *, lines: bool = False) -> str:
    """A message for people as it is stored: clean, harmless, without secrets, and not too long."""
    text = shortened(storable(text), 4 * most)  # before the patterns below see it: a message may be of any size
    return shortened(harmless(without_secrets(text), lines=lines), most)
