"""An address of the ad library, as people copy it from their browser → one form for all addresses that show the same ads."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

from pipeline.words.foreign import storable

from ..text import visible

LONGEST = 2000  # characters that are read
LONGEST_FORM = 1000  # characters of the one form
LONGEST_SEARCH = 200
_HOST = re.compile(r"(?:[a-z0-9-]+\.)*facebook\.com")
_COPY = "Open the ads in the Ad Library, then copy the address from your browser's address bar."
_EMPTY = f"This is not an address. {_COPY}"
_SEVERAL = "This is more than one address. Give one at a time."
_NOT_THE_LIBRARY = (
    "This is not an Ad Library address. It begins with https://www.facebook.com/ads/library/ and names a page or a search."
)
_TOO_LONG = f"This address is too long. {_COPY}"
_ONE_AD = f"This address shows one ad, not a list. {_COPY}"
_NOTHING_NAMED = f"This address names neither a page (view_all_page_id) nor a search (q). {_COPY}"
_DATE, _PLAIN = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII), re.compile(r"[a-z_]{1,40}")
_PAGE_ID = re.compile(r"[1-9]\d{4,24}", re.ASCII)


def _one_of(*words: str) -> Callable[[str], bool]:
    return frozenset(words).__contains__


# The parts of an address that choose ads, in the order of the one form. Others, such as those that track clicks, are left out.
_PARTS: dict[str, Callable[[str], bool]] = {
    "active_status": _one_of("active", "inactive", "all"),
    "ad_type": _one_of(
        "all", "political_and_issue_ads", "housing_ads", "employment_ads", "credit_ads", "financial_products_and_services_ads"
    ),
    "country": lambda value: bool(re.fullmatch(r"[A-Z]{2}|ALL", value, re.ASCII)),
    "is_targeted_country": _one_of("true", "false"),
    "media_type": _one_of("all", "image", "meme", "video", "none", "image_and_meme"),
    "q": lambda value: len(value) <= LONGEST_SEARCH,
    "search_type": _one_of("keyword_unordered", "keyword_exact_phrase", "page"),
    "view_all_page_id": lambda value: bool(_PAGE_ID.fullmatch(value)),
    "sort_data[direction]": _one_of("asc", "desc"),
    "sort_data[mode]": lambda value: bool(_PLAIN.fullmatch(value)),
    "start_date[min]": lambda value: bool(_DATE.fullmatch(value)),
    "start_date[max]": lambda value: bool(_DATE.fullmatch(value)),
}
_LIST = re.compile(r"(?:publisher_platforms|content_languages)\[\d{1,2}\]", re.ASCII)
_USUAL = {"active_status": "active", "ad_type": "all", "country": "ALL", "media_type": "all"}  # what the library shows without it
_SAYS_NOTHING = {"is_targeted_country": "false"}


def clean_address(given: str) -> str:
    """The one form of this address. Raises ValueError, in words for the form field."""
    typed = visible(storable(given))
    if not typed:
        raise ValueError(_EMPTY)
    if len(typed) > LONGEST:
        raise ValueError(_TOO_LONG)
    if " " in typed:
        raise ValueError(_SEVERAL if typed.count("://") > 1 else _EMPTY)
    parts = _query(typed)
    if not (parts.get("view_all_page_id") or parts.get("q")):
        raise ValueError(_ONE_AD if parts.get("id") else _NOTHING_NAMED)
    chosen = {name: parts[name] for name in _PARTS if parts.get(name)}
    for name, value in chosen.items():
        if not _PARTS[name](value):
            raise ValueError(f"The part {name}={value[:60]} of this address makes no sense. {_COPY}")
    searched = "page" if "view_all_page_id" in chosen else "keyword_unordered"
    wanted = {**_USUAL, "search_type": searched, **chosen}
    wanted = {name: wanted[name] for name in _PARTS if name in wanted and wanted[name] != _SAYS_NOTHING.get(name)}
    lists = sorted((name, value) for name, value in parts.items() if _LIST.fullmatch(name) and _PLAIN.fullmatch(value))
    form = f"https://www.facebook.com/ads/library/?{urlencode([*wanted.items(), *lists])}"
    if len(form) > LONGEST_FORM:
        raise ValueError(_TOO_LONG)
    return form


def _query(typed: str) -> dict[str, str]:
    """The parts of the query, the first of each name. ValueError if it is another site's address, or another page's."""
    if "://" not in typed:
        typed = f"https://{typed}"
    try:
        address = urlsplit(typed)
        host, port = (address.hostname or "").rstrip("."), address.port
    except ValueError:  # such as a lone bracket; its own message is for programmers
        raise ValueError(_EMPTY) from None
    known = address.scheme in ("http", "https") and "@" not in address.netloc and port in (None, 80, 443)
    if not (known and _HOST.fullmatch(host) and re.fullmatch(r"/ads/library/*", address.path)):
        raise ValueError(_NOT_THE_LIBRARY)
    parts: dict[str, str] = {}
    for name, value in parse_qsl(address.query, max_num_fields=None):
        parts.setdefault(name, visible(value))
    return parts
