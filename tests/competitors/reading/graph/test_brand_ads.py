"""A brand's own ads are read field by field: the order of the sources, and whatever may be missing or wrong."""

import copy
from datetime import UTC, datetime

import pytest

from competitors.reading.graph.brand_ads import (
    has_source,
    read_brand_ad,
    read_duration,
    read_post_picture,
    read_source,
    read_thumbnail,
)
from tests.competitors.upstream.altered import WRONG

pytestmark = pytest.mark.only_on("sqlite")
HOST = "https://scontent.xx.fbcdn.net"
ITEM = {
    "id": "120200001123456789",
    "name": "Chews &amp; more",
    "effective_status": "WITH_ISSUES",
    "created_time": "2026-06-30T18:00:00+0200",
    "campaign": {"id": "120800001123456789", "stop_time": "2026-08-31T23:59:59+0000"},
    "adset": {"end_time": "2026-08-15T12:00:00+0000"},
    "creative": {
        "id": "120300001123456789",
        "title": "A title",
        "body": "The creative",
        "thumbnail_url": f"{HOST}/thumb.jpg",
        "image_url": f"{HOST}/1.jpg",
        "video_id": "120500001123456789",
        "object_type": "SHARE",
        "effective_object_story_id": "9123_120600001",
        "object_story_spec": {
            "link_data": {
                "name": "",
                "message": "The &lt;link&gt;",
                "link": "https://shop.example/1",
                "image_url": f"{HOST}/2.jpg",
                "picture": f"{HOST}/3.jpg",
            },
            "photo_data": {"caption": "The photo", "url": f"{HOST}/4.jpg"},
            "video_data": {
                "title": "The film",
                "message": "The video",
                "call_to_action": {"value": {"link": "https://shop.example/2"}},
                "video_id": "120400001123456789",
                "image_url": f"{HOST}/still.jpg",
            },
        },
        "asset_feed_spec": {
            "titles": [{"text": "{{product.name}}"}, {"text": "One of several"}],
            "bodies": [{"text": "One of several"}],
            "link_urls": [{"website_url": "https://shop.example/3"}],
            "images": [{"url": f"{HOST}/5.jpg"}],
            "videos": [{"video_id": "120700001", "thumbnail_url": f"{HOST}/6.jpg"}],
        },
    },
}


def without(*paths, item=ITEM):
    changed = copy.deepcopy(item)
    for path in paths:
        *above, last = path.split(".")
        place = changed
        for name in above:
            place = place[name]
        del place[last]
    return changed


STORY = "creative.object_story_spec"
VIDEOS = [f"{STORY}.video_data", "creative.video_id", "creative.asset_feed_spec.videos"]
PICTURES = [
    ("creative.image_url", "1.jpg"),
    (f"{STORY}.link_data.image_url", "2.jpg"),
    (f"{STORY}.link_data.picture", "3.jpg"),
    (f"{STORY}.photo_data", "4.jpg"),
    ("creative.asset_feed_spec.images", "5.jpg"),
]


def test_pictures_come_from_the_first_place_that_has_one():
    image_ad = without(*VIDEOS)
    for number, (_, expected) in enumerate(PICTURES):
        ad = read_brand_ad(without(*(path for path, _ in PICTURES[:number]), item=image_ad))
        assert [(one.role, one.url) for one in ad.media] == [("picture", f"{HOST}/{expected}")]
        assert not ad.is_video
    bare = without(*(path for path, _ in PICTURES), item=image_ad)
    ad = read_brand_ad(bare)
    assert [(one.role, one.url) for one in ad.media] == [("thumbnail", "")], "the post's picture has to be asked for first"
    assert (ad.post_id, read_thumbnail(bare)) == ("9123_120600001", f"{HOST}/thumb.jpg")
    ad = read_brand_ad(without("creative.effective_object_story_id", item=bare))
    assert [(one.role, one.url) for one in ad.media] == [("thumbnail", f"{HOST}/thumb.jpg")]
    assert read_brand_ad(without("creative", item=bare)).media == ()


@pytest.mark.parametrize(
    ("name", "places"),
    [
        (
            "title",
            {
                "creative.title": "A title",
                f"{STORY}.video_data.title": "The film",
                "creative.asset_feed_spec.titles": "One of several",
            },
        ),
        (
            "body",
            {
                f"{STORY}.link_data.message": "The <link>",
                f"{STORY}.video_data.message": "The video",
                f"{STORY}.photo_data.caption": "The photo",
                "creative.body": "The creative",
                "creative.asset_feed_spec.bodies": "One of several",
            },
        ),
        (
            "link_url",
            {
                f"{STORY}.link_data.link": "https://shop.example/1",
                f"{STORY}.video_data.call_to_action": "https://shop.example/2",
                "creative.asset_feed_spec.link_urls": "https://shop.example/3",
            },
        ),
    ],
    ids=["title", "body", "link"],
)
def test_words_and_destination_come_from_the_first_place_that_has_them(name, places):
    gone: list[str] = []
    for place, expected in [*places.items(), ("", "")]:
        assert getattr(read_brand_ad(without(*gone)), name) == expected
        gone.append(place)


def test_an_ad_ends_with_its_campaign_or_its_ad_set_whichever_is_first():
    """Trap: effective_status says ACTIVE for campaigns whose stop_time has passed."""
    ad = read_brand_ad(ITEM)
    assert (ad.started_at, ad.ends_at) == (datetime(2026, 6, 30, 16, tzinfo=UTC), datetime(2026, 8, 15, 12, tzinfo=UTC))
    assert (ad.campaign_id, ad.display_format) == ("120800001123456789", "SHARE")
    assert read_brand_ad(without("adset")).ends_at == datetime(2026, 8, 31, 23, 59, 59, tzinfo=UTC)
    never = ITEM | {"campaign": {"stop_time": "1969-12-31T16:00:00-0800"}, "adset": {"end_time": "2026-08-15T12:00:00"}}
    assert read_brand_ad(never).ends_at is None, "a time without its zone is not known"


def test_an_upload_goes_before_the_reel_that_was_published_from_it():
    ids = ["120400001123456789", "120500001123456789", "120700001"]
    for number, expected in enumerate(ids):
        ad = read_brand_ad(without(*VIDEOS[:number]))
        assert (ad.video_id, ad.is_video) == (expected, True)
        assert [(one.role, bool(one.url)) for one in ad.media] == [("video", False), ("poster", True)]
    assert read_brand_ad(ITEM).media[1].url == f"{HOST}/still.jpg"


def test_an_ad_without_a_video_id_is_a_video_if_its_type_says_so():
    item = without(*VIDEOS)
    item["creative"]["object_type"] = "VIDEO"
    ad = read_brand_ad(item)
    assert (ad.is_video, ad.video_id) == (True, "")


def paths(value, above=()):
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield (*above, name)
        yield from paths(inner, (*above, name))


@pytest.mark.parametrize("path", [".".join(path) for path in paths(ITEM)])
def test_a_field_that_is_missing_or_wrong_spoils_no_other_one(path):
    assert (read_brand_ad(without(path)) is None) is (path == "id")
    for wrong in WRONG.values():
        item = without(path)
        *above, last = path.split(".")
        place = item
        for name in above:
            place = place[name]
        place[last] = wrong
        ad = read_brand_ad(item)
        assert ad is None or all(one.url.startswith("http") or not one.url for one in ad.media)
        assert ad is not None or path == "id"
        if ad and not path.startswith("creative"):
            assert ad.media == read_brand_ad(ITEM).media


@pytest.mark.parametrize("item", [None, 7, "ad", [], [ITEM], {}, {"id": 1.5}, {"id": True}, {"id": "0"}, {"id": "act_1"}])
def test_what_has_no_id_is_no_ad(item):
    assert read_brand_ad(item) is None


def test_a_number_is_an_id_too():
    assert read_brand_ad({"id": 120200001123456789}).ad_id == "120200001123456789"
    assert read_brand_ad(ITEM).name == "Chews & more"


@pytest.mark.parametrize(
    ("video", "has", "link"),
    [
        ({"source": f"{HOST}/v.mp4"}, True, f"{HOST}/v.mp4"),
        ({"source": None}, False, ""),
        ({}, False, ""),
        ({"source": ""}, True, ""),
        ({"source": 7}, True, ""),
        ({"source": "javascript:alert(1)"}, True, ""),
        ([], False, ""),
        (None, False, ""),
    ],
)
def test_a_source_that_is_not_there_is_told_apart_from_one_that_cannot_be_read(video, has, link):
    assert (has_source(video), read_source(video)) == (has, link)


@pytest.mark.parametrize(
    ("length", "seconds"),
    [(12, 12.0), (3.5, 3.5), (0, None), (-1, None), (True, None), ("12", None), (float("nan"), None), (1e9, None), (None, None)],
)
def test_a_duration_is_a_number_of_seconds(length, seconds):
    assert read_duration({"length": length}) == seconds


def test_a_posts_picture_is_its_own_or_that_of_what_is_attached():
    attached = {"attachments": {"data": [7, {"media": None}, {"media": {"image": {"src": f"{HOST}/a.jpg"}}}]}}
    assert read_post_picture({"full_picture": f"{HOST}/f.jpg", **attached}) == f"{HOST}/f.jpg"
    assert read_post_picture({"full_picture": 5, **attached}) == f"{HOST}/a.jpg"
    assert read_post_picture([]) == ""
