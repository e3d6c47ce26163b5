"""What kind of ad it is, told by rules from its English words and its form. Local, free, and the same each time.

The values are those of AdClassification. What no rule is sure of is "unknown".
"""

import hashlib
from dataclasses import dataclass

from .awareness import awareness_of
from .formats import format_of
from .hooks import hook_of
from .signs import Ad

VERSION = 1  # of the rules: raise it with any change, then every ad is classified again


@dataclass(frozen=True)
class Kind:
    format: str
    hook: str
    awareness: str


def classify(title: str, body: str, link: str, *, is_video: bool) -> Kind:
    ad = Ad.of(title, body, link, is_video=is_video)
    hook = hook_of(ad)
    found = format_of(ad)
    return Kind(found, hook, awareness_of(ad, found, hook))


def words_key(title: str, body: str, link: str, *, is_video: bool) -> str:
    """Equal for ads that are classified equally: the same words and form."""
    parts = "\x1f".join([title, body, link, str(is_video)])
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()
