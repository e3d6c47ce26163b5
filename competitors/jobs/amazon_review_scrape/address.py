"""What people type or paste for a product, taken apart: which product (ASIN), on which marketplace.

It may be an address with words around it, a sponsored link, or a bare ASIN. What could mean two products is refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from competitors.models.amazon import MARKETPLACES
from competitors.reading import visible

LONGEST = 5000  # characters of pasted text
_HOST = re.compile(r"(?:[a-z0-9-]+\.)*(?:amazon\.(?P<code>[a-z]{2,3}(?:\.[a-z]{2})?)|amzn\.com)")
_SHORT_HOST = re.compile(r"(?:www\.)?(?:a\.co|amzn\.(?:to|eu|in|asia))")
# ASCII: without it IGNORECASE would take a long s or a Kelvin sign for a letter of an ASIN.
_FLAGS = re.IGNORECASE | re.ASCII
_ASIN = r"(?P<asin>[A-Z0-9]{10})(?![A-Z0-9_-])"
_IN_PATH = re.compile(
    r"/(?:dp|dp/product|gp/product|gp/product/glance|gp/aw/d|gp/aw/reviews|gp/offer-listing|product-reviews|product|ASIN"
    rf"|exec/obidos/tg/detail/-|o/tg/detail/-)/{_ASIN}",
    _FLAGS,
)
_AMZN_PATH = re.compile(rf"/{_ASIN}", _FLAGS)  # amzn.com/B0…
_IN_QUERY = re.compile(_ASIN, _FLAGS)
# A link begins with http, also behind a word: browsers drop the line breaks of what is pasted into a field. Without http it
# begins with a host name, but not in the middle of another address.
_LINK = re.compile(
    r"(?<![./?=&#@%+~\\-])https?(?:://|%3A%2F%2F)[^\s<>\"“”«»]+"
    r"|(?<!(?u:[\w./?=&#@%+~:\\-]))[A-Z0-9](?:[A-Z0-9.-]*[A-Z0-9])?\.[A-Z]{2,}(?::\d+)?(?:[/?#][^\s<>\"“”«»]*)?(?![\w@-])",
    _FLAGS,
)
_PUNCTUATION = ").,;:!?]}'>…。、，：」』）”’*_"  # behind a link, not part of it
_BARE = re.compile(r"(?<![\w./=%&?#@-])(?P<asin>BT?0[A-Z0-9]{7,8})(?![\w/=%@-])", _FLAGS)
_ISBN = re.compile(r"(?:(?:ISBN(?:-10)?|ASIN)\W*)?(?P<asin>\d{9}[\dX])", _FLAGS)

_NOT_AMAZON = "This is not an Amazon address. Copy one like https://www.amazon.com/dp/B0… from your browser's address bar."
_SHORT = "This is a short link. Open it, then copy the address of the product page."
_NO_PRODUCT = (
    "This address names no product: the address needs /dp/ and a 10-character ASIN. Copy the address of the product page."
)


@dataclass(frozen=True)
class AmazonAddress:
    asin: str
    domain_code: str


@dataclass(frozen=True)
class _Link:
    """What one link says. `code`: the marketplace, None if it is not Amazon's. `asin`: "" if it names no product."""

    code: str | None = None
    asin: str = ""
    short: bool = False


def parse_amazon_address(text: str) -> AmazonAddress:
    """ASIN and marketplace of any amazon.* product link, or of a bare ASIN. Raises ValueError, in words for the form field."""
    text = visible(text)[:LONGEST]
    # "Chews.Best" is two words, not a link.
    links = [_read(found[0]) for found in _LINK.finditer(text) if "/" in found[0] or "amazon." in found[0].lower()]
    named = {(link.asin, link.code) for link in links if link.asin and link.code}
    codes = {link.code for link in links if link.code}
    if not named and not any(link.short or link.code is None for link in links):
        named = {(asin, code) for asin in _bare_asins(_LINK.sub(" ", text)) for code in codes or {"com"}}
    if len(named) > 1:
        products = " and ".join(sorted(f"{asin} on amazon.{code}" for asin, code in named)[:2])
        raise ValueError(f"This names more than one product: {products}. Add one at a time.")
    if unknown := sorted(code for code in ({code for _, code in named} or codes) if code not in MARKETPLACES):
        raise ValueError(
            f"amazon.{unknown[0]} cannot be scraped. These can: {', '.join('amazon.' + code for code in MARKETPLACES)}."
        )
    for asin, code in named:
        return AmazonAddress(asin, code)
    if any(link.short for link in links):
        raise ValueError(_SHORT)
    raise ValueError(_NO_PRODUCT if codes else _NOT_AMAZON)


def _read(link: str) -> _Link:
    link = link.rstrip(_PUNCTUATION)
    if "://" not in link:
        link = unquote(link) if re.match("https?%3A", link, re.IGNORECASE) else f"https://{link}"
    try:
        parts = urlsplit(link)
        hostname = (parts.hostname or "").rstrip(".")
        plain = "@" not in parts.netloc and parts.port != 0
    except ValueError:  # such as a lone bracket; its own message is for programmers
        return _Link()
    if hostname.endswith(".amazon-adsystem.com"):  # an advertisement's link, with the product's behind it
        _, behind, target = parts.path.partition("/https://")
        return _read(f"https://{target}") if behind else _Link()
    if _SHORT_HOST.fullmatch(hostname):
        return _Link(short=True)
    host = _HOST.fullmatch(hostname)
    if not host or not plain:  # https://amazon.com@evil.example
        return _Link()
    code = host["code"] or "com"
    path = unquote(parts.path)
    found = _IN_PATH.search(path) or (not host["code"] and _AMZN_PATH.match(path))
    if found:
        return _Link(code, found["asin"].upper())
    return _in_query(parse_qsl(parts.query), code)


def _in_query(query: Iterable[tuple[str, str]], code: str) -> _Link:
    """The product in a query: asin=…, or the address that a sponsored link leads to, as url=%2F…%2Fdp%2FB0…"""
    for name, value in query:
        if name.casefold() == "asin" and (found := _IN_QUERY.fullmatch(value)):
            return _Link(code, found["asin"].upper())
        target = unquote(value)
        if target.startswith("/") and not target.startswith("//") and (found := _IN_PATH.search(target)):
            return _Link(code, found["asin"].upper())
        if target.startswith(("https://", "http://")) and (inner := _read(target)).asin:
            return inner
    return _Link(code)


def _bare_asins(words: str) -> set[str]:
    """ASINs without an address. A book's is its ISBN-10, which is taken only alone and only if its last digit is right."""
    found = {one["asin"].upper() for one in _BARE.finditer(words) if len(one["asin"]) == 10}
    isbn = _ISBN.fullmatch(words.strip(" " + _PUNCTUATION))
    if not found and isbn and _is_isbn(isbn["asin"].upper()):
        found = {isbn["asin"].upper()}
    return found


def _is_isbn(text: str) -> bool:
    digits = [10 if char == "X" else int(char) for char in text]
    return sum(weight * digit for weight, digit in zip(range(10, 0, -1), digits, strict=True)) % 11 == 0
