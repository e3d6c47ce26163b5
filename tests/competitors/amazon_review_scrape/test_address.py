from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitors.jobs.amazon_review_scrape.address import MARKETPLACES, AmazonAddress, parse_amazon_address

ASIN = "B09XK4T2LM"


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.amazon.com/dp/{ASIN}",
        f"http://amazon.com/dp/{ASIN}/",
        f"amazon.com/dp/{ASIN}",
        f"  www.amazon.com/dp/{ASIN}?th=1&psc=1  ",
        f"https://smile.amazon.com/Calming-Chews-Dogs/dp/{ASIN}/ref=sr_1_3?keywords=chews",
        f"https://www.amazon.com/gp/product/{ASIN}#customerReviews",
        f"https://www.amazon.com/gp/aw/d/{ASIN}",
        f"https://www.amazon.com/exec/obidos/ASIN/{ASIN}/ref=nosim",
        f"https://www.amazon.com/product/{ASIN}",
        f"https://www.amazon.com/product-reviews/{ASIN}/ref=cm_cr_arp",
        f"https://m.amazon.com/-/es/dp/{ASIN.lower()}",
        f"HTTPS://WWW.AMAZON.COM/DP/{ASIN}",
        f"https://www.amazon.com:443/dp/{ASIN}",
    ],
)
def test_any_product_link_gives_asin_and_marketplace(text: str) -> None:
    assert parse_amazon_address(text) == AmazonAddress(ASIN, "com")


@pytest.mark.parametrize("code", MARKETPLACES)
def test_each_marketplace_is_recognized(code: str) -> None:
    assert parse_amazon_address(f"https://www.amazon.{code}/dp/{ASIN}").domain_code == code


def test_com_au_is_not_com() -> None:
    assert parse_amazon_address(f"https://www.amazon.com.au/dp/{ASIN}") == AmazonAddress(ASIN, "com.au")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chews",
        f"https://www.amazon.com.evil.example/dp/{ASIN}",
        f"https://notamazon.com/dp/{ASIN}",
        f"https://evil.example/amazon.com/dp/{ASIN}",
        f"https://amazon.com@evil.example/dp/{ASIN}",
        f"https://evil.example#amazon.com/dp/{ASIN}",
        f"javascript://amazon.com/dp/{ASIN}",
        f"ftp://amazon.com/dp/{ASIN}",
        "https://[amazon.com/dp/" + ASIN,
        "http://[::1/dp/" + ASIN,
    ],
)
def test_an_address_that_is_not_amazons_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an Amazon address"):
        parse_amazon_address(text)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/s?k=chews",
        "/dp/B09XK",
        f"/dp/{ASIN}X",
        "/dp/B09XK4T2L-",
        "/stores/page/" + ASIN,
        "/dp/B09XK4T2Lſ",
        "/dp/B09XK4T2L\u212a",
    ],
)
def test_an_address_without_a_product_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="names no product"):
        parse_amazon_address(f"https://www.amazon.com{path}")


def test_a_marketplace_that_cannot_be_scraped_is_named() -> None:
    with pytest.raises(ValueError, match=r"amazon\.pl cannot be scraped.*amazon\.com\.au"):
        parse_amazon_address(f"https://www.amazon.pl/dp/{ASIN}")


def test_a_short_link_is_refused_with_advice_to_open_it() -> None:
    with pytest.raises(ValueError, match="short link"):
        parse_amazon_address("https://amzn.to/3abcdef")


@given(st.text(max_size=80))
def test_any_text_gives_an_address_or_an_error_message(text: str) -> None:
    for candidate in (text, f"https://www.amazon.com/{text}", f"https://{text}.amazon.com/dp/{ASIN}"):
        with suppress(ValueError):
            address = parse_amazon_address(candidate)
            assert len(address.asin) == 10
            assert address.asin.isascii()
            assert address.domain_code in MARKETPLACES
