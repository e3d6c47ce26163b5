"""Addresses of the ad library as people paste them."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitors.reading.ad_library import clean_address

PAGE = (
    "https://www.facebook.com/ads/library/?active_status=active&ad_type=all&country=ALL&media_type=all"
    "&search_type=page&view_all_page_id=248734494998159"
)
SEARCH = (
    "https://www.facebook.com/ads/library/?active_status=all&ad_type=all&country=US&media_type=video"
    "&q=calming+chews&search_type=keyword_exact_phrase"
)


@pytest.mark.parametrize(
    "typed",
    [
        PAGE,
        "https://www.facebook.com/ads/library/?view_all_page_id=248734494998159",
        "facebook.com/ads/library?view_all_page_id=248734494998159",
        "http://m.facebook.com/ads/library/?view_all_page_id=248734494998159&fbclid=IwAR0x&utm_source=x#top",
        " \u200bhttps://WWW.Facebook.com/ads/library/?search_type=page&country=ALL&view_all_page_id=248734494998159\n",
        PAGE + "&is_targeted_country=false&view_all_page_id=999999",
    ],
)
def test_all_addresses_of_the_same_ads_become_one(typed):
    assert clean_address(typed) == PAGE


def test_a_search_keeps_what_chooses_its_ads():
    typed = "https://www.facebook.com/ads/library/?q=calming%20chews&search_type=keyword_exact_phrase&media_type=video&country=US"
    assert clean_address(f"{typed}&active_status=all") == SEARCH


def test_an_order_a_start_date_and_platforms_are_kept():
    rest = (
        "&sort_data[direction]=desc&sort_data[mode]=total_impressions&start_date[min]=2025-01-01&publisher_platforms[0]=instagram"
    )
    found = clean_address(PAGE + rest)
    assert found == PAGE + "".join(
        f"&{quote(name, safe='')}={value}" for name, value in (part.split("=") for part in rest[1:].split("&"))
    )
    assert clean_address(found) == found


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "not an address"),
        ("barkwell ads", "not an address"),
        (f"{PAGE} {PAGE}", "more than one address"),
        ("https://www.facebook.com/barkwell", "not an Ad Library address"),
        ("https://www.facebook.com/ads/library/report/?q=x", "not an Ad Library address"),
        ("https://www.facebook.com.evil.example/ads/library/?q=x", "not an Ad Library address"),
        ("https://evilfacebook.com/ads/library/?q=x", "not an Ad Library address"),
        ("https://facebook.com@evil.example/ads/library/?q=x", "not an Ad Library address"),
        ("javascript://www.facebook.com/ads/library/?q=x", "not an Ad Library address"),
        ("https://www.facebook.com:8080/ads/library/?q=x", "not an Ad Library address"),
        ("https://[/ads/library/?q=x", "not an address"),
        ("https://www.facebook.com/ads/library/", "neither a page"),
        ("https://www.facebook.com/ads/library/?q=&country=US", "neither a page"),
        ("https://www.facebook.com/ads/library/?id=952254996289312", "one ad"),
        ("https://www.facebook.com/ads/library/?view_all_page_id=abc", "view_all_page_id=abc of this address makes no sense"),
        ("https://www.facebook.com/ads/library/?q=x&country=usa", "country=usa of this address makes no sense"),
        ("https://www.facebook.com/ads/library/?q=" + "x" * 2000, "too long"),
        ("https://www.facebook.com/ads/library/?q=" + "語" * 200, "too long"),
        ("https://www.facebook.com/ads/library/?q=" + "x" * 201, "makes no sense"),
    ],
)
def test_what_is_no_list_of_ads_is_refused_with_a_clear_sentence(typed, words):
    with pytest.raises(ValueError, match=words):
        clean_address(typed)


@given(st.text() | st.text().map(lambda text: f"https://www.facebook.com/ads/library/?q={text}"))
def test_any_text_gives_an_address_or_a_sentence(typed):
    try:
        found = clean_address(typed)
    except ValueError as error:
        found = ""
        words = str(error)
    assert clean_address(found) == found if found else words.endswith(".")
