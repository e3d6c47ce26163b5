"""An Amazon product address, taken apart: which product (ASIN), on which marketplace."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from competitors.models.amazon import MARKETPLACES

_HOST = re.compile(r"(?:^|\.)amazon\.(?P<code>[a-z]{2,3}(?:\.[a-z]{2})?)$")
_SHORT_HOSTS = ("amzn.to", "amzn.eu", "amzn.asia", "a.co")
# ASCII: without it IGNORECASE would take a long s or a Kelvin sign for a letter of an ASIN.
_ASIN = re.compile(
    r"/(?:dp|gp/product|gp/aw/d|product-reviews|product|ASIN)/(?P<asin>[A-Z0-9]{10})(?=[/?#&]|$)", re.IGNORECASE | re.ASCII
)
_NOT_AMAZON = "This is not an Amazon address. Copy one like https://www.amazon.com/dp/B0… from your browser's address bar."


@dataclass(frozen=True)
class AmazonAddress:
    asin: str
    domain_code: str


def parse_amazon_address(text: str) -> AmazonAddress:
    """ASIN and marketplace of any amazon.* product link. Raises ValueError, in words for the form field, if there are none."""
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        hostname = (parts.hostname or "").rstrip(".")
    except ValueError:  # such as a lone bracket; its own message is for programmers
        raise ValueError(_NOT_AMAZON) from None
    if hostname in _SHORT_HOSTS:
        raise ValueError("This is a short link. Open it, then copy the address of the product page.")
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
            "This address names no product: the address needs /dp/ and a 10-character ASIN. Copy the address of the product page."
        )
    return AmazonAddress(asin["asin"].upper(), host["code"])
