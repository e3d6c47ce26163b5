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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"Have a look: Calming Chews for Dogs https://www.amazon.de/dp/{ASIN}/ref=cm_sw_r_apan_dp_X?psc=1 – thanks!", "de"),
        (f"The listing (https://www.amazon.co.uk/dp/{ASIN}), as discussed.", "co.uk"),
        (f"See [chews](https://www.amazon.ca/dp/{ASIN}). Or <https://www.amazon.ca/gp/product/{ASIN}>.", "ca"),
        (f"1. ours https://northpaw.example/chews\n2. theirs\n\nhttps://www.amazon.fr/dp/{ASIN}\n", "fr"),
        (f"Calming Chewshttps://www.amazon.com/dp/{ASIN}", "com"),
        (f"こちらですhttps://www.amazon.co.jp/犬用おやつ/dp/{ASIN}。見てください", "co.jp"),
        ("\ufeffhttps://www.ama\u00adzon.com/dp/B09X\u200bK4T2LM\u200e", "com"),
        (f"https://www.amazon.com/dp/\u2066{ASIN}\u2069", "com"),
        (f"\u00a0https://www.amazon.com/dp/{ASIN}\u202f", "com"),
        ("ｈｔｔｐｓ：／／ｗｗｗ．ａｍａｚｏｎ．ｃｏ．ｊｐ／ｄｐ／Ｂ０９ＸＫ４Ｔ２ＬＭ", "co.jp"),
        (f"https://www.amazon.com/dp/{ASIN}.", "com"),
        (f"https://amzn.com/dp/{ASIN}", "com"),
        (f"amzn.com/{ASIN}", "com"),
        (
            f"https://www.amazon.com/sspa/click?ie=UTF8&spc=MTo1&url=%2FCalming-Chews%2Fdp%2F{ASIN}%2Fref%3Dsr_1_1_sspa&sp=1",
            "com",
        ),
        (f"https://aax-us-east.amazon-adsystem.com/x/c/RMnx/https://www.amazon.com/Chews/dp/{ASIN}/ref=aax?pf_rd=1", "com"),
        (f"https://www.amazon.de/sspa/click?url=%252Fdp%252F{ASIN}%252Fref", "de"),
        (f"https://www.amazon.es/gp/slredirect/picassoRedirect.html/ref=pa_sp?ie=UTF8&url=%2FX%2Fdp%2F{ASIN}&qualifier=1", "es"),
        (f"https://www.amazon.com/gp/r.html?U=https%3A%2F%2Fwww.amazon.de%2Fdp%2F{ASIN}%3Fpsc%3D1&H=X", "de"),
        (f"https://www.amazon.com/ap/signin?openid.return_to=https%3A%2F%2Fwww.amazon.com%2Fgp%2Fproduct%2F{ASIN}", "com"),
        (f"https://www.amazon.com/gp/customer-reviews/R1ABCDEFGH/ref=cm_cr?ie=UTF8&ASIN={ASIN}", "com"),
        (f"https://www.amazon.com/Chews/product-reviews/{ASIN}/ref=cm_cr_dp_d_show_all_btm?reviewerType=all_reviews", "com"),
        (f"https://www.amazon.com/gp/product/glance/{ASIN}", "com"),
        (f"https://www.amazon.com/o/ASIN/{ASIN}", "com"),
        (f"https://www.amazon.com/exec/obidos/tg/detail/-/{ASIN}/qid=1", "com"),
        (f"https://www.amazon.com/gp/offer-listing/{ASIN}", "com"),
        (f"https://www.amazon.de/-/en/dp/{ASIN}?language=en_GB", "de"),
        (f"https%3A%2F%2Fwww.amazon.it%2Fdp%2F{ASIN}%3Fth%3D1", "it"),
        (f"https://www.amazon.it/Snack%2Fdp%2F{ASIN}", "it"),
        (ASIN, "com"),
        (ASIN.lower(), "com"),
        (f"ASIN: {ASIN}", "com"),
        (f"ASIN \u200f : \u200e {ASIN}", "com"),
        (f"amazon.de {ASIN}", "de"),
        (f"{ASIN} on www.amazon.co.uk", "co.uk"),
        (f"Chews.Best for dogs, {ASIN}.", "com"),
    ],
)
def test_what_people_paste_names_the_product(text: str, code: str) -> None:
    assert parse_amazon_address(text) == AmazonAddress(ASIN, code)


@pytest.mark.parametrize("text", ["0735211299", "https://www.amazon.com/Atomic-Habits/dp/0735211299", "ISBN-10 : 0735211299"])
def test_a_book_is_known_by_its_isbn(text: str) -> None:
    assert parse_amazon_address(text) == AmazonAddress("0735211299", "com")
    assert parse_amazon_address("080442957x").asin == "080442957X"


@pytest.mark.parametrize("text", ["0735211298", "call 0735211299 now", "2125551234"])
def test_a_telephone_number_is_no_book(text: str) -> None:
    with pytest.raises(ValueError, match="not an Amazon address"):
        parse_amazon_address(text)


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.amazon.com/dp/{ASIN} and https://www.amazon.com/dp/B000000002",
        f"https://www.amazon.com/dp/{ASIN} https://www.amazon.de/dp/{ASIN}",
        f"{ASIN}, B000000002",
        f"{ASIN} amazon.de amazon.fr",
    ],
)
def test_two_products_are_one_too_many(text: str) -> None:
    with pytest.raises(ValueError, match="names more than one product: B0.* Add one at a time"):
        parse_amazon_address(text)


def test_the_same_product_twice_is_one() -> None:
    text = f"https://www.amazon.de/dp/{ASIN} (short: amazon.de/gp/product/{ASIN.lower()})"
    assert parse_amazon_address(text) == AmazonAddress(ASIN, "de")


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
        f"https://evil.example@amazon.com/dp/{ASIN}",
        f"https://user:amazon.com/dp/{ASIN}@evil.example",
        f"https://evil.example\\@amazon.com/dp/{ASIN}",
        f"https://evil.example\\.amazon.com/dp/{ASIN}",
        f"https://evil.example/?u=https://amazon.com/dp/{ASIN}",
        f"https://evil.example/https://amazon.com/dp/{ASIN}",
        f"https://evil-amazon.com/dp/{ASIN}",
        f"evil-amazon.com/dp/{ASIN}",
        f"https://amazon.com.evil.example {ASIN}",
        f"https://аmazon.com/dp/{ASIN}",
        f"éamazon.com/dp/{ASIN}",
        f"https://amazon.com:99999/dp/{ASIN}",
        f"https://evil.example/?asin={ASIN}",
        f"x{ASIN}",
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


@pytest.mark.parametrize(
    "text",
    [
        "https://amzn.to/3abcdef",
        "https://a.co/d/3abcdef",
        "http://amzn.eu/d/3abcdef",
        "amzn.in/d/3abcdef",
        "https://amzn.asia/d/3abcdef",
        "HTTPS://AMZN.TO/3abcdef",
        "Check out this product: Calming Chews https://a.co/d/3abcdef.",
        f"https://amzn.eu/d/3abcdef {ASIN}",
    ],
)
def test_a_short_link_is_refused_with_advice_to_open_it(text: str) -> None:
    with pytest.raises(ValueError, match="short link. Open it"):
        parse_amazon_address(text)


@given(st.text(max_size=80))
def test_any_text_gives_an_address_or_an_error_message(text: str) -> None:
    for candidate in (text, f"https://www.amazon.com/{text}", f"https://{text}.amazon.com/dp/{ASIN}", f"{text} {ASIN}"):
        with suppress(ValueError):
            address = parse_amazon_address(candidate)
            assert len(address.asin) == 10
            assert address.asin.isascii()
            assert address.domain_code in MARKETPLACES
