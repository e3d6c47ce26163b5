"""An Amazon product address, taken apart: which product (ASIN), on which marketplace."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

MARKETPLACES = (  # what the reviews actor serves, see its input schema
    "com",
    "ca",
    "co.uk",
    "in",
    "de",
    "fr",
    "it",
    "es",
    "co.jp",
    "com.au",
    "com.br",
    "nl",
    "se",
    "com.mx",
    "ae",
)
_HOST = re.compile(r"(?:^|\.)amazon\.(?P<code>[a-z]{2,3}(?:\.[a-z]{2})?)$")
_SHORT_HOSTS = ("amzn.to", "amzn.eu", "amzn.asia", "a.co")
# ASCII: without it IGNORECASE would take a long s or a Kelvin sign for a letter of an ASIN.
_ASIN = re.compile(
    r"/(?:dp|gp/product|gp/aw/d|product-reviews|product|ASIN)/(?P<asin>[A-Z0-9]{10})(?=[/?#&]|$)", re.IGNORECASE | re.ASCII
)
_NOT_AMAZON = "This is not an Amazon address. Enter one like https://www.amazon.com/dp/B0… from the browser's address bar."


@dataclass(frozen=True)
class AmazonAddress:
    asin: str
    domain_code: str


def parse_amazon_address(text: str) -> AmazonAddress:
    """Read ASIN and marketplace out of any amazon.* product link. ValueError, in words for the field, where there is none."""
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        hostname = (parts.hostname or "").rstrip(".")
    except ValueError:  # a lone bracket, say; its own words are for programmers
        raise ValueError(_NOT_AMAZON) from None
    if hostname in _SHORT_HOSTS:
        raise ValueError("This is a short link. Open it and copy the address of the product's own page.")
    host = _HOST.search(hostname)
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(_NOT_AMAZON)
    if host["code"] not in MARKETPLACES:
        raise ValueError(
            f"amazon.{host['code']} cannot be scraped. These can: {', '.join('amazon.' + code for code in MARKETPLACES)}."
        )
    asin = _ASIN.search(parts.path)
    if not asin:
        raise ValueError(
            "This address names no product: it has no /dp/ and ten characters. Open the product's own page and copy that address."
        )
    return AmazonAddress(asin["asin"].upper(), host["code"])
