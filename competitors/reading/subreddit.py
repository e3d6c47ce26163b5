"""Names of subreddits as people type or paste them."""

import re

from .text import visible

MOST_CHARACTERS = 21
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{1,20}")
_ADDRESS = re.compile(r"(?:https?://)?(?:[a-z]+\.)?reddit\.com(/r/[^/?#]+).*", re.IGNORECASE)


def read_subreddit(text: str) -> str:
    """ "dogs" of "r/dogs", "/r/dogs/" or its address. Raises ValueError, in words for the form field."""
    given = visible(text)
    address = _ADDRESS.fullmatch(given)
    name = re.sub(r"^/?r/", "", address[1] if address else given, flags=re.IGNORECASE).rstrip("/").strip()
    if not _NAME.fullmatch(name):
        raise ValueError(f"“{given[:40]}” is not the name of a subreddit. One is like r/dogs: 2 to 21 letters, digits and _.")
    return name


def read_subreddits(text: str) -> list[str]:
    """Several, with blanks, commas or line breaks between them."""
    return [read_subreddit(one) for one in re.split(r"[\s,;]+", visible(text)) if one]
