"""One to five stars out of a rating, in the languages of the marketplaces."""

import re
from functools import lru_cache
from typing import Any

from .text import KNOWN, LONGEST, plain, text

# How a rating of five is worded, by language. Any of them may come from any marketplace: it answers in the visitor's language.
PHRASES = {
    "en": ("{stars} out of 5 stars",),
    "fr": ("{stars} sur 5 étoiles", "{stars} étoiles sur 5"),
    "de": ("{stars} von 5 Sternen",),
    "it": ("{stars} su 5 stelle",),
    "es": ("{stars} de 5 estrellas", "{stars} de un máximo de 5 estrellas"),
    "pt": ("{stars} de 5 estrelas",),
    "nl": ("{stars} van 5 sterren",),
    "sv": ("{stars} av 5 stjärnor",),
    "ja": ("5つ星のうち{stars}", "5つ星のうち {stars}", "星5つ中の{stars}"),
    "hi": ("5 में से {stars} सितारे", "5 में से {stars} स्टार"),
    "ar": ("{stars} من 5 نجوم", "{stars} من أصل 5 نجوم"),
}
_STARS = r"(\d)(?:[.,٫](\d{1,2}))?"  # with a decimal point, comma or the Arabic mark


def _any_of(*phrases: str) -> re.Pattern[str]:
    known = [re.escape(plain(phrase)).replace("5", "[5٥५]").replace(r"\{stars\}", _STARS) for phrase in phrases]
    return re.compile("|".join(known))


_WORDED = _any_of(*(phrase for phrases in PHRASES.values() for phrase in phrases))
_SHORT = _any_of("{stars}", "{stars} out of 5")


def read_stars(value: Any) -> int | None:
    """1 to 5 out of 5, 5.0, "5.0", "5.0 out of 5 stars" or "5,0 von 5 Sternen". None for what is not a whole number of stars,
    and for words that are not in the table: in a language that we do not know, the first number may be the five."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    given = text(value)
    return _worded_stars(given) if len(given) <= LONGEST else None


@lru_cache(KNOWN)
def _worded_stars(value: str) -> int | None:
    given = plain(value)
    found = _WORDED.fullmatch(given) or _SHORT.fullmatch(given)
    if not found:
        return None
    whole, fraction = (int(part) for part in [*filter(None, found.groups()), "0"][:2])
    return whole if 1 <= whole <= 5 and not fraction else None


def without_rating(title: str, rating: Any) -> str:
    """The title without the rating that vendors put before it.

    It goes only if it is the review's own rating, character by character, worded with its stars, with a title behind it:
    "4 out of 5 dentists agree" is a title.
    """
    own = text(rating).strip()
    rest = title.removeprefix(own)
    cut = own and rest != title and rest[:1].isspace() and rest.strip() and _WORDED.fullmatch(plain(own))
    return rest.strip() if cut else title
