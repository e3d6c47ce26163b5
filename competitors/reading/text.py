"""Foreign text: the leftovers of HTML decoded once, and a plain form that values are read from."""

import re
from html import unescape
from html.entities import html5
from typing import Any
from unicodedata import category, normalize

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Only with its semicolon: html.unescape alone would also turn the "&copy" of "?a=1&copy=2" into a sign.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});", re.ASCII)
_INVISIBLE = {"Cf", "Cc"}
_WIDE = {0xFF01 + offset: 0x21 + offset for offset in range(94)}  # ａ to a, as typed with a Japanese or Chinese keyboard
LONGEST = 300  # no sentence with a date or a rating is longer; what is longer is read as empty
KNOWN = 2_000  # sentences whose reading is remembered: thousands of items share a few dates and ratings


def text(value: Any) -> str:
    """A text as it came, a number as its digits, anything else empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        return str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return ""


def decoded(value: Any) -> str:
    """The text with <br> as a line break and entities as their characters. Once: "&amp;lt;" becomes "&lt;"."""
    found = text(value)
    if "<" in found:
        found = _BREAK.sub("\n", found)
    return _ENTITY.sub(_character, found) if "&" in found else found


def visible(text: str) -> str:
    """The text without what nobody sees: zero-width signs, direction marks, soft hyphens. Every blank is a plain one."""
    plain = "".join(" " if char.isspace() else char for char in text if char.isspace() or category(char) not in ("Cf", "Cc"))
    return plain.translate(_WIDE).strip()


def plain(value: Any) -> str:
    """To read a value from: each letter and digit in one form (NFKC, case folded), single blanks, nothing invisible."""
    given = text(value)
    found = normalize("NFKC", given) if len(given) <= LONGEST else ""
    if not (found.isascii() and found.isprintable()):
        found = "".join(" " if char.isspace() else char for char in found if char.isspace() or category(char) not in _INVISIBLE)
    return " ".join(found.split()).casefold()


def _character(entity: re.Match[str]) -> str:
    """What the entity stands for; an unknown name stays as it is."""
    known = entity[0][1] == "#" or entity[0][1:] in html5
    return unescape(entity[0]) if known else entity[0]
