"""Names that people give, in any script: tidied, refused if nobody can see them, and compared as people would."""

import re
from unicodedata import category, normalize

# Characters that show nothing although Unicode calls them letters or symbols.
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
# Kept inside a name: they join emoji and shape Persian and Indian letters.
_JOINERS = "\u200c\u200d"


def clean_name(text: str) -> str:
    """The name with single blanks, without control and direction characters. Raises ValueError if nothing of it can be seen."""
    kept = "".join(" " if char.isspace() else char for char in text if char in _JOINERS or not _is_hidden(char))
    name = " ".join(normalize("NFC", kept).split()).strip(_JOINERS)
    if not any((category(char)[0] in "LN" or category(char) == "So") and char not in _BLANK for char in name):
        raise ValueError("Use at least one letter or digit that can be seen, in any script.")
    return name


def name_key(name: str) -> str:
    """Equal for names that look alike: full-width or not, upper or lower case, composed or not, with or without joiners."""
    shown = "".join(char for char in name if category(char) != "Cf" and char not in _BLANK and not _is_selector(char))
    return " ".join(normalize("NFKC", normalize("NFKC", shown).casefold()).split())


def _is_hidden(char: str) -> bool:
    return category(char) in ("Cc", "Cf", "Cs", "Co") and not char.isspace()


def _is_selector(char: str) -> bool:
    """Chooses between drawings of the sign before it."""
    return re.fullmatch("[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]", char) is not None
