"""Meta's Graph API: ad accounts, ads page by page, creatives with nearly anything missing, videos, and tokens."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from competitors.sandbox.graph.nodes import STATUSES
from competitors.sandbox.server import Sandbox

from .ads import Start
from .conftest import TOKEN, Api, Clock
from .test_cdn import get

ACCOUNT = "act_123456789"
CREATIVE = (
    "creative{id,thumbnail_url,image_url,image_hash,video_id,object_type,object_story_spec,asset_feed_spec,"
    "effective_object_story_id}"
)
FIELDS = f"id,name,effective_status,created_time,updated_time,{CREATIVE}"
SHOWN = json.dumps([status for status in STATUSES if status != "DELETED"])


class Graph:
    """Bare HTTP to the Graph API."""

    def __init__(self, sandbox: Sandbox, version: str = "v26.0"):
        self.sandbox = sandbox
        self.api = Api(sandbox)
        self.path = f"/graph/{version}"

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.api.get(self.path + path, **query)

    def json(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def error(self, path: str, **query: Any) -> tuple[int, int, int | None]:
        """Status, code and subcode of a refusal."""
        answer = self.get(path, **query)
        error = answer.json()["error"]
        assert error["message"] and error["type"] and error["fbtrace_id"]
        return answer.status_code, error["code"], error.get("error_subcode")

    def pages(self, limit: int = 25, **query: Any) -> Iterator[list[dict[str, Any]]]:
        after = ""
        while True:
            page = self.json(f"/{ACCOUNT}/ads", limit=limit, after=after, **query)
            yield page["data"]
            if "next" not in page.get("paging", {}):
                return
            after = page["paging"]["cursors"]["after"]

    def ads(self, **query: Any) -> list[dict[str, Any]]:
        return [ad for page in self.pages(**({"fields": FIELDS, "effective_status": SHOWN} | query)) for ad in page]


@pytest.fixture
def graph(sandbox: Sandbox) -> Graph:
    return Graph(sandbox)


@pytest.mark.parametrize("version", ["v25.0", "v26.0"])
def test_an_account_tells_name_currency_and_zone(sandbox: Sandbox, version: str) -> None:
    account = Graph(sandbox, version).json(f"/{ACCOUNT}", fields="name,currency,timezone_name,account_id")
    assert set(account) == {"id", "name", "currency", "timezone_name", "account_id"}
    assert (account["id"], account["account_id"]) == (ACCOUNT, ACCOUNT.removeprefix("act_"))


def test_a_version_that_is_dead_is_refused(sandbox: Sandbox) -> None:
    assert Graph(sandbox, "v19.0").error(f"/{ACCOUNT}") == (400, 2635, None)
    assert Graph(sandbox, "me").error(f"/{ACCOUNT}") == (400, 100, None)


def test_pages_of_ads_follow_each_other_by_cursor(graph: Graph) -> None:
    pages = list(graph.pages(limit=10, fields="id", effective_status=SHOWN))
    assert [len(page) for page in pages[:-1]] == [10] * (len(pages) - 1) and len(pages) >= 5
    ids = [ad["id"] for page in pages for ad in page]
    assert len(set(ids)) == len(ids) and all(set(ad) == {"id"} for page in pages for ad in page)
    assert all(int(ad_id) > 2**53 for ad_id in ids)
    assert ids == [ad["id"] for ad in graph.ads()]


def test_the_address_of_the_next_page_has_the_token_in_clear(graph: Graph) -> None:
    following = graph.json(f"/{ACCOUNT}/ads", limit=5)["paging"]["next"]
    query = parse_qs(urlsplit(following).query)
    assert query["access_token"] == [TOKEN] and query["limit"] == ["5"]
    with requests.Session() as session:
        session.trust_env = False
        assert len(session.get(following, timeout=10).json()["data"]) == 5


def test_archived_and_deleted_ads_are_shown_only_to_who_asks_for_them(graph: Graph) -> None:
    usual = {ad["effective_status"] for ad in (ad for page in graph.pages(fields="effective_status") for ad in page)}
    assert "ACTIVE" in usual and not usual & {"ARCHIVED", "DELETED"}
    assert "ARCHIVED" in {ad["effective_status"] for ad in graph.ads()}
    assert {ad["effective_status"] for ad in graph.ads(effective_status='["DELETED"]')} == {"DELETED"}
    assert graph.error(f"/{ACCOUNT}/ads", effective_status="ACTIVE") == (400, 100, None)
    assert graph.error(f"/{ACCOUNT}/ads", effective_status='["LIVE"]') == (400, 100, None)


def test_creatives_are_of_every_sort(graph: Graph) -> None:
    creatives = [ad["creative"] for ad in graph.ads()]
    stories = [creative.get("object_story_spec", {}) for creative in creatives]
    assert any("image_url" in creative for creative in creatives) and any("image_url" not in creative for creative in creatives)
    assert any("link_data" in story for story in stories) and any("photo_data" in story for story in stories)
    assert any("asset_feed_spec" in creative for creative in creatives) and any(not story for story in stories)
    assert any("thumbnail_url" not in creative for creative in creatives)
    uploaded = next(creative for creative in creatives if "video_data" in creative.get("object_story_spec", {}))
    assert uploaded["object_story_spec"]["video_data"]["video_id"] != uploaded["video_id"]
    assert any("video_id" in creative and "object_story_spec" not in creative for creative in creatives)


def test_some_ads_show_the_same_picture(graph: Graph) -> None:
    urls = [ad["creative"]["thumbnail_url"] for ad in graph.ads() if "thumbnail_url" in ad["creative"]]
    paths = [urlsplit(url).path for url in urls]
    assert len(set(paths)) < len(paths)


def test_a_thumbnail_is_small_unless_a_size_is_given(graph: Graph) -> None:
    ad = next(ad for ad in graph.ads() if "thumbnail_url" in ad["creative"])
    assert "_s64x64" in ad["creative"]["thumbnail_url"]
    large = graph.json(f"/{ad['id']}", fields="creative{thumbnail_url}", thumbnail_width=1080, thumbnail_height=1080)
    assert "_s1080x1080" in large["creative"]["thumbnail_url"]
    assert get(large["creative"]["thumbnail_url"]).status_code == 200


def test_an_ad_a_creative_and_several_at_once_can_be_read(graph: Graph) -> None:
    first, second = graph.ads()[:2]
    assert graph.json(f"/{first['id']}", fields="name") == {"id": first["id"], "name": first["name"]}
    assert graph.json(f"/{first['id']}", fields="creative")["creative"] == {"id": first["creative"]["id"]}
    assert graph.json(f"/{first['creative']['id']}", fields="object_type")["object_type"]
    both = graph.json("/", ids=f"{first['id']},{second['id']}", fields="name")
    assert both == {ad["id"]: {"id": ad["id"], "name": ad["name"]} for ad in (first, second)}


def test_one_missing_object_fails_a_call_for_several(graph: Graph) -> None:
    known = graph.ads()[0]["id"]
    assert graph.error("/", ids=f"{known},77") == (400, 100, 33)
    assert graph.error("/", ids=",".join([known] * 51)) == (400, 100, None)
    assert graph.error("/") == (400, 100, None)
    assert graph.error("/77") == (400, 100, 33)


def test_a_video_has_a_source_or_lacks_the_key(graph: Graph) -> None:
    stories = [ad["creative"].get("object_story_spec", {}) for ad in graph.ads()]
    ids = [story["video_data"]["video_id"] for story in stories if "video_data" in story]
    videos = [graph.json(f"/{video_id}", fields="source,picture,length") for video_id in ids]
    playable = [video for video in videos if "source" in video]
    assert 0 < len(playable) < len(videos)
    assert all("picture" in video for video in videos)
    body = get(playable[0]["source"]).content
    assert body[4:8] == b"ftyp" and playable[0]["length"] >= 6


def test_a_published_reel_has_no_source_for_us(graph: Graph) -> None:
    reel = next(ad["creative"]["video_id"] for ad in graph.ads() if "video_id" in ad["creative"])
    assert set(graph.json(f"/{reel}", fields="source,picture")) == {"id", "picture"}


def test_a_post_has_its_picture(graph: Graph) -> None:
    post = graph.ads()[0]["creative"]["effective_object_story_id"]
    shown = graph.json(f"/{post}", fields="full_picture,attachments{media{image{src}}}")
    assert shown["attachments"]["data"][0]["media"]["image"]["src"] == shown["full_picture"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [("id,,name", 2500), ("creative{id", 2500), ("creative{}", 2500), ("id}", 2500), ("{id}", 2500), ("id,colour", 100)],
)
def test_a_wrong_field_list_fails_the_whole_call(graph: Graph, fields: str, code: int) -> None:
    assert graph.error(f"/{ACCOUNT}/ads", fields=fields) == (400, code, None)


def test_links_are_fresh_with_every_answer(start_sandbox: Start, clock: Clock) -> None:
    graph = Graph(start_sandbox(clock=clock, media_seconds=60))
    path = f"/{next(ad['id'] for ad in graph.ads() if 'image_url' in ad['creative'])}"
    old = graph.json(path, fields=CREATIVE)["creative"]["image_url"]
    clock.advance(61)
    new = graph.json(path, fields=CREATIVE)["creative"]["image_url"]
    assert (get(old).status_code, get(new).status_code) == (403, 200)


def test_the_number_of_ads_is_a_setting_and_grows_by_the_day(start_sandbox: Start) -> None:
    graph = Graph(start_sandbox(ads_per_account=4))
    every = json.dumps(STATUSES)
    assert len(graph.ads(effective_status=every)) == 4
    graph.api.post("/sandbox/advance", {"days": 2, "new_reviews": 0})
    assert len(graph.ads(effective_status=every)) == 10


def test_accounts_without_ads_and_without_permission(graph: Graph) -> None:
    assert graph.json("/act_19999/ads") == {"data": []}
    assert graph.error("/act_10000/ads") == (403, 200, None)
    assert graph.error("/123/ads") == (400, 100, None)


def test_a_cursor_that_is_not_ours_is_refused(graph: Graph) -> None:
    assert graph.error(f"/{ACCOUNT}/ads", after="nonsense!") == (400, 100, None)


def test_a_token_comes_in_the_header_or_in_the_query(sandbox: Sandbox) -> None:
    graph = Graph(sandbox)
    graph.api = Api(sandbox, token=None)
    assert graph.get(f"/{ACCOUNT}", access_token=TOKEN).status_code == 200
    assert graph.error(f"/{ACCOUNT}") == (400, 104, None)
    assert graph.error(f"/{ACCOUNT}", access_token="bad-token") == (401, 190, None)
    assert graph.error(f"/{ACCOUNT}", access_token="expired-token") == (401, 190, 463)


def test_debug_token_tells_when_a_token_expires(start_sandbox: Start, clock: Clock) -> None:
    graph = Graph(start_sandbox(clock=clock, token_seconds=3600))
    good = graph.json("/debug_token", input_token=TOKEN)["data"]
    assert good["is_valid"] is True and good["expires_at"] == int(clock.now) + 3600 and "ads_read" in good["scopes"]
    expired = graph.json("/debug_token", input_token="expired-token")["data"]
    assert expired["is_valid"] is False and expired["expires_at"] < clock.now and expired["error"]["subcode"] == 463
    assert graph.json("/debug_token", input_token="bad-token")["data"]["is_valid"] is False
    assert graph.error("/debug_token") == (400, 100, None)
    graph.api.post("/sandbox/settings", {"token_seconds": 0})
    assert graph.json("/debug_token", input_token=TOKEN)["data"]["expires_at"] == 0
