"""Items of the ad library's actor, in every form that it has had, become ads."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competitors.reading.ad_library import Ad, MediaLink, Rejected, parse_ad

ITEM: dict[str, Any] = {
    "ad_archive_id": "952254996289312",
    "page_id": "248734494998159",
    "page_name": "Barkwell ",
    "is_active": True,
    "start_date": 1744009200,
    "end_date": 1764028800,
    "collation_count": 2,
    "collation_id": "1700856193775809",
    "publisher_platform": ["FACEBOOK", "INSTAGRAM"],
    "impressions_with_index": {"impressions_text": "1K-5K", "impressions_index": 3},
    "position": 4,
    "total": 61,
    "snapshot": {
        "body": {"text": "Calm dogs.\nHappy homes."},
        "title": "Calming chews",
        "caption": "barkwell.com",
        "cta_text": "Shop now",
        "link_url": "https://barkwell.com/chews?utm_source={{ad.name}}&click=[click_id]",
        "display_format": "IMAGE",
        "page_like_count": 211,
        "images": [
            {"original_image_url": "https://scontent.fbcdn.net/1.jpg", "resized_image_url": "https://scontent.fbcdn.net/1s.jpg"}
        ],
        "videos": [],
        "cards": [],
    },
}


def ad(snapshot=None, **changes) -> Ad:
    read = parse_ad({**ITEM, **changes, "snapshot": {**ITEM["snapshot"], **(snapshot or {})}})
    assert isinstance(read, Ad)
    return read


def camel(name, abbreviation="Id"):
    first, *others = name.split("_")
    return first + "".join(abbreviation if word == "id" else word.capitalize() for word in others)


def in_camel_case(value, abbreviation):
    if isinstance(value, dict):
        return {camel(name, abbreviation): in_camel_case(one, abbreviation) for name, one in value.items()}
    return [in_camel_case(one, abbreviation) for one in value] if isinstance(value, list) else value


def test_every_field_is_read():
    assert ad() == Ad(
        ad_archive_id="952254996289312",
        is_active=True,
        started_on=date(2025, 4, 7),
        ended_on=None,
        page_id="248734494998159",
        page_name="Barkwell",
        page_likes=211,
        body="Calm dogs.\nHappy homes.",
        title="Calming chews",
        caption="barkwell.com",
        link_url="https://barkwell.com/chews?utm_source={{ad.name}}&click=[click_id]",
        call_to_action="Shop now",
        display_format="IMAGE",
        platforms=("FACEBOOK", "INSTAGRAM"),
        collation_id="1700856193775809",
        variants=2,
        position=4,
        total=61,
        impressions_lower=1000,
        impressions_upper=5000,
        impressions_text="1K-5K",
        media=(MediaLink("picture", 0, "https://scontent.fbcdn.net/1.jpg"),),
        removed=False,
        unread=(),
    )


@pytest.mark.parametrize("abbreviation", ["Id", "ID"])
def test_camel_case_is_read_like_snake_case_at_every_depth(abbreviation):
    assert parse_ad(in_camel_case(ITEM, abbreviation)) == ad()


def test_an_empty_key_does_not_hide_the_same_key_written_in_another_way():
    assert parse_ad({"ad_archive_id": None, "adArchiveID": "952254996289312"}).ad_archive_id == "952254996289312"


def test_an_ad_that_broke_a_rule_is_removed():
    assert ad(violation_types=["ADVERTISING_STANDARDS"]).removed
    nothing: list[Any] = [None, [], "NONE", {"a": 1}, 0]
    assert not any(ad(violation_types=value).removed for value in nothing)


# ---- identity --------------------------------------------------------------------------------------------------------
def test_a_number_and_a_text_are_one_id():
    assert (
        ad(ad_archive_id=952254996289312).ad_archive_id
        == ad(ad_archive_id=" 952254996289312 ").ad_archive_id
        == "952254996289312"
    )


def test_ids_stay_texts_however_long():
    assert ad(ad_archive_id=9007199254740993).ad_archive_id == "9007199254740993"


NO_IDS: list[Any] = ["", " ", None, "0", 1.5, 952254996289312.0, True, "abc", "12a", "-5", [], {}, "9" * 26, "٩٥٢"]


@pytest.mark.parametrize("none", NO_IDS)
def test_what_is_no_id_is_rejected_and_never_becomes_one_empty_ad(none):
    assert parse_ad({**ITEM, "ad_archive_id": none}) == Rejected("No ad id")


def test_no_ads_is_an_item_that_says_so():
    item = {"error": "Ads not found", "errorCode": "ADS_NOT_FOUND", "url": "https://www.facebook.com/ads/library/?q=x"}
    assert parse_ad(item) == Rejected("The ad library shows no ads at this address", says_empty=True)


@pytest.mark.parametrize("item", [{"error": "Blocked"}, {"error": "Blocked", "ad_archive_id": ""}, {"errorCode": "TIMEOUT"}])
def test_an_error_is_no_ad(item):
    assert parse_ad(item) == Rejected("The ad library answered with an error item")


def test_an_ad_with_an_error_is_kept():
    assert ad(error="The video could not be read") == ad()


@pytest.mark.parametrize("item", [None, 3, "ad", [], [ITEM], True])
def test_what_is_no_object_is_rejected(item):
    assert parse_ad(item) == Rejected("Not an object")


# ---- dates -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "start",
    [1744009200, 1744009200.0, " 1744009200", "2025-04-07", "2025-04-07T07:00:00Z", "2025-04-06T23:59:00-07:00", "April 7, 2025"],
)
def test_a_start_is_read_as_a_day_of_utc(start):
    assert ad(start_date=start).started_on == date(2025, 4, 7)


def test_the_machines_zone_changes_no_date(monkeypatch, settings):
    settings.TIME_ZONE = "Pacific/Kiritimati"
    assert ad(start_date=1743983999).started_on == date(2025, 4, 6)


@pytest.mark.parametrize("start", ["soon", 17, 1744009200000, -1, True, "07/04/2025", 9999999999, {}, [1], 1e300])
def test_an_unreadable_start_is_empty_and_named(start):
    read = ad(start_date=start)
    assert (read.started_on, read.unread) == (None, ("started_on",))


def test_a_formatted_start_stands_in_for_a_missing_one():
    assert ad(start_date=None, start_date_formatted="2025-04-07 07:00:00").started_on == date(2025, 4, 7)


def test_an_active_ads_end_date_is_not_its_end():
    assert ad(end_date=1744009200).ended_on is None
    assert ad(end_date=1744009200, is_active=None).ended_on is None


def test_an_ad_that_is_over_has_its_end():
    assert ad(end_date=1744009200, is_active=False).ended_on == date(2025, 4, 7)


@pytest.mark.parametrize("said", ["true", 1, None, "no"])
def test_what_is_neither_true_nor_false_says_nothing_about_activity(said):
    assert ad(is_active=said).is_active is None


# ---- texts -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [
        "Calm & happy\ndogs",
        "Calm &amp; happy<br />dogs",
        {"text": "Calm & happy\ndogs"},
        {"markup": {"__html": "Calm &amp; <b>happy</b><br />dogs"}},
        {"context": {}, "markup": {"__html": '<a href="x">Calm</a> &amp; happy<BR>dogs'}},
    ],
)
def test_a_body_is_read_from_a_text_an_object_and_markup(body):
    assert ad({"body": body}).body == "Calm & happy\ndogs"


@pytest.mark.parametrize("body", [None, "", " ", {}, {"text": None}, {"markup": None}, {"text": {"text": "deep"}}, [], True])
def test_a_body_without_text_is_empty(body):
    read = ad({"body": body})
    assert (read.body, read.unread) == ("", ())


CARD = {
    "body": "Bone broth topper",
    "title": "Topper",
    "cta_text": "Buy",
    "link_url": "https://barkwell.com/topper",
    "resized_image_url": "https://scontent.fbcdn.net/c.jpg",
}


def test_a_placeholder_is_never_stored_and_the_cards_have_the_text():
    names = {"body": {"text": "{{product.brand}}"}, "title": "{{product.name}}", "link_url": "{{product.url}}", "cta_text": None}
    read = ad({**names, "cards": [{**CARD, "title": "{{ product.name }}"}, CARD]})
    assert (read.body, read.title, read.link_url) == ("Bone broth topper", "Topper", "https://barkwell.com/topper")
    assert (read.call_to_action, read.unread) == ("Buy", ())


def test_a_placeholder_without_a_card_is_empty_and_named():
    read = ad({"body": "Only {{product.price strip_zeros}} today"})
    assert (read.body, read.unread) == ("", ("body",))


def test_braces_that_name_nothing_are_a_text():
    assert ad({"body": "{{wow}}"}).body == "{{wow}}"


# ---- links -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "fb://page",
        "//evil.example",
        "/chews",
        "barkwell.com",
        "https://",
        "https://[",
        "data:text/html,x",
        5,
    ],
)
def test_a_link_that_is_not_http_is_empty_and_named(link):
    read = ad({"link_url": link})
    assert (read.link_url, read.unread) == ("", ("link_url",))


@pytest.mark.parametrize("link", ["http://barkwell.com", "HTTPS://barkwell.com/a", "\x00https://barkwell.com/\n{{ad.id}}"])
def test_a_web_link_is_kept(link):
    assert ad({"link_url": link}).link_url.lower().startswith("http")
    assert "\n" not in ad({"link_url": link}).link_url


@pytest.mark.parametrize("link", [None, "", "  "])
def test_an_ad_without_a_link_is_nothing_odd(link):
    assert ad({"link_url": link}).unread == ()


# ---- the rest --------------------------------------------------------------------------------------------------------
def test_platforms_are_upper_case_each_once():
    assert ad(publisher_platform=["facebook", "FACEBOOK", "threads", None, 4, {}]).platforms == ("FACEBOOK", "THREADS", "4")
    assert ad(publisher_platform="instagram").platforms == ("INSTAGRAM",)
    assert ad(publisher_platform=None).platforms == ()


@pytest.mark.parametrize(
    ("count", "variants"), [(None, None), (0, 0), (6, 6), (" 6", 6), (-1, None), ("many", None), (True, None)]
)
def test_variants_are_those_that_the_group_tells(count, variants):
    assert ad(collation_count=count).variants == variants


@pytest.mark.parametrize(
    ("shown", "bounds"),
    [
        ("<100", (0, 100)),
        ("< 1K", (0, 1000)),
        ("1K-5K", (1000, 5000)),
        ("1.5K–2M", (1500, 2_000_000)),
        ("1,000 - 1,999", (1000, 1999)),
        (">1M", (1_000_000, None)),
        ("700", (700, 700)),
    ],
)
def test_impressions_are_read_as_bounds_and_kept_as_text(shown, bounds):
    read = ad(impressions_with_index={"impressions_text": shown})
    assert (read.impressions_lower, read.impressions_upper) == bounds
    assert (read.impressions_text, read.unread) == (shown, ())


@pytest.mark.parametrize("shown", ["plenty", "5K-1K", "1K-", "1.2.3"])
def test_unreadable_impressions_keep_their_text(shown):
    read = ad(impressions_with_index={"impressions_text": shown})
    assert (read.impressions_lower, read.impressions_upper, read.impressions_text) == (None, None, shown)
    assert read.unread == ("impressions",)


def test_a_video_and_its_poster_have_one_position():
    video = {
        "video_hd_url": "",
        "video_sd_url": "https://v.fbcdn.net/sd.mp4",
        "video_preview_image_url": "https://v.fbcdn.net/p.jpg",
    }
    read = ad({"videos": [video], "cards": [CARD, {"body": "no picture"}, {"video_hd_url": "https://v.fbcdn.net/c.mp4"}]})
    assert read.media == (
        MediaLink("picture", 0, "https://scontent.fbcdn.net/1.jpg"),
        MediaLink("video", 1, "https://v.fbcdn.net/sd.mp4"),
        MediaLink("poster", 1, "https://v.fbcdn.net/p.jpg"),
        MediaLink("picture", 2, "https://scontent.fbcdn.net/c.jpg"),
        MediaLink("video", 3, "https://v.fbcdn.net/c.mp4"),
    )


def test_a_poster_without_its_video_is_kept():
    poster = {"video_preview_image_url": "https://v.fbcdn.net/p.jpg", "video_sd_url": None}
    assert ad({"images": None, "videos": [poster]}).media == (MediaLink("poster", 0, "https://v.fbcdn.net/p.jpg"),)


def test_media_are_web_links_each_once_and_not_endless():
    odd = [{"original_image_url": "file:///etc/passwd"}, "x", None, *ITEM["snapshot"]["images"] * 2]
    assert len(ad({"images": odd}).media) == 1
    assert len(ad({"images": [{"original_image_url": f"https://a.fbcdn.net/{n}"} for n in range(500)]}).media) == 50


# ---- anything --------------------------------------------------------------------------------------------------------
KEYS = sorted({*ITEM, *ITEM["snapshot"], "error", "errorCode", "adArchiveID", "text", "markup", "__html", "impressions_text"})
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["1744009200", "{{a.b}}"])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=100)
@given(JSON, st.dictionaries(st.sampled_from(KEYS), JSON), st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_json_item_gives_an_ad_or_a_rejection_and_never_an_exception(item, changes, snapshot):
    assert isinstance(parse_ad(item), Ad | Rejected)
    read = parse_ad({**ITEM, **changes, "snapshot": {**ITEM["snapshot"], **snapshot}})
    assert isinstance(read, Ad | Rejected)
    if isinstance(read, Ad):
        assert read.ad_archive_id.isdecimal()
        assert read.link_url == "" or read.link_url.lower().startswith(("http://", "https://"))
        assert "{{a.b}}" not in read.body
