"""The made-up ads: repeatable, as irregular as real ones, and changing only when asked to."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from competitors.sandbox.server import Sandbox

from .ads import ADS_ACTOR, LIBRARY, PAGE, SEARCH, Item, Start, ads_input, ids, scraped, started
from .conftest import Api


@pytest.fixture
def many(sandbox: Sandbox) -> list[Item]:
    """Ads of several searches, enough for every irregularity."""
    everything = SEARCH.replace("active_status=active", "active_status=all")
    return [ad for word in "abcdef" for ad in scraped(sandbox, everything.replace("chews", word))]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "urls is required"),
        ({"startUrls": [{"url": PAGE}]}, "urls is required"),
        ({"urls": PAGE}, "urls must be array"),
        ({"urls": []}, "fewer than 1"),
        ({"urls": [PAGE]}, "urls.0 must be object"),
        ({"urls": [{"url": "facebook"}]}, "urls.0.url"),
        (ads_input(count=9), "count must be >= 10"),
        (ads_input(count="50"), "count must be integer"),
        (ads_input(count=True), "count must be integer"),
        (ads_input(limitPerSource=0), "limitPerSource must be >= 1"),
        (ads_input(scrapeAdDetails="no"), "scrapeAdDetails must be boolean"),
        (ads_input(period="last2h"), "period must be equal"),
        (ads_input(**{"scrapePageAds.activeStatus": "live"}), "activeStatus must be equal"),
        (ads_input(start_date_min="soon"), "start_date_min must be a date"),
    ],
)
def test_a_wrong_input_is_refused_before_a_run_exists(api: Api, given: dict[str, Any], problem: str) -> None:
    answer = api.post(f"/v2/acts/{ADS_ACTOR}/runs", given)
    assert answer.status_code == 400 and answer.json()["error"]["type"] == "invalid-input"
    assert problem in answer.json()["error"]["message"]
    assert api.sandbox.state["runs_started"] == 0


def test_an_ad_has_the_fields_of_real_ones(sandbox: Sandbox) -> None:
    ad = next(ad for ad in scraped(sandbox) if ad["collation_count"] and ad["snapshot"]["images"])
    assert ad["ad_archive_id"].isdigit() and ad["ad_id"] is None
    assert ad["page_id"] == ad["snapshot"]["page_id"] == "248734494998159"
    assert ad["page_name"] == ad["snapshot"]["page_name"]
    assert ad["is_active"] is True and ad["end_date"] > ad["start_date"]
    assert ad["url"] == PAGE and ad["ad_library_url"].endswith(ad["ad_archive_id"])
    assert ad["publisher_platform"][:2] == ["FACEBOOK", "INSTAGRAM"]
    assert set(ad["impressions_with_index"]) == {"impressions_text", "impressions_index"}


@pytest.mark.needs_samples
def test_an_ad_lacks_no_field_that_real_ones_have(many: list[Item]) -> None:
    lines = Path(os.environ["SAMPLES_DIR"], "meta_ads_snake.jsonl").read_text().splitlines()
    real = [json.loads(line) for line in lines]
    for ad in many:
        assert {name for item in real for name in item} <= set(ad)
        assert {name for item in real for name in item["snapshot"]} <= set(ad["snapshot"])


def test_the_same_url_has_the_same_ads_in_a_later_run(sandbox: Sandbox) -> None:
    first, again = scraped(sandbox), scraped(sandbox)
    assert 60 <= len(first) <= 200 and len(set(ids(first))) == len(first)
    assert [ad["snapshot"]["body"] for ad in first] == [ad["snapshot"]["body"] for ad in again]
    assert ids(first) == ids(again)


def test_another_page_or_seed_has_other_ads(sandbox: Sandbox, start_sandbox: Start) -> None:
    ads = set(ids(scraped(sandbox)))
    assert not ads & set(ids(scraped(sandbox, PAGE.replace("248734494998159", "107189848084236"))))
    assert not ads & set(ids(scraped(start_sandbox(seed=2))))


def test_a_day_brings_new_ads_and_takes_others_away(sandbox: Sandbox) -> None:
    before = set(ids(scraped(sandbox)))
    Api(sandbox).post("/sandbox/advance", {"days": 2, "new_reviews": 0})
    after = set(ids(scraped(sandbox)))
    assert len(after - before) >= 4  # some of the six end at once
    assert 1 <= len(before - after) <= 4


def test_days_may_pass_with_each_run_of_a_url(start_sandbox: Start) -> None:
    sandbox = start_sandbox(days_per_ads_run=1, new_ads_per_day=5, gone_ads_per_day=4)
    first, search = set(ids(scraped(sandbox))), ids(scraped(sandbox, SEARCH))
    second = set(ids(scraped(sandbox)))
    assert second - first and first - second
    assert len(second & first) > len(first) * 0.8
    Api(sandbox).post("/sandbox/settings", {"days_per_ads_run": 0})
    assert ids(scraped(sandbox, SEARCH)) == search


def test_an_ad_that_ended_is_shown_as_ended_or_not_at_all_among_all_ads(sandbox: Sandbox) -> None:
    everything = PAGE.replace("active_status=active", "active_status=all")
    before = {ad["ad_archive_id"]: ad["is_active"] for ad in scraped(sandbox, everything)}
    Api(sandbox).post("/sandbox/advance", {"days": 10, "new_reviews": 0})
    after = {ad["ad_archive_id"]: ad["is_active"] for ad in scraped(sandbox, everything)}
    assert [ad for ad, active in before.items() if active and after.get(ad) is False]
    assert before.keys() - after.keys()


def test_the_urls_own_query_chooses_status_media_and_order(sandbox: Sandbox) -> None:
    inactive = scraped(sandbox, SEARCH.replace("active_status=active", "active_status=inactive"))
    assert inactive and not any(ad["is_active"] for ad in inactive)
    assert {ad["snapshot"]["display_format"] for ad in scraped(sandbox, f"{SEARCH}&media_type=video")} == {"VIDEO"}
    assert not any(ad["snapshot"]["videos"] for ad in scraped(sandbox, f"{SEARCH}&media_type=image"))
    ordered = scraped(sandbox, f"{SEARCH}&sort_data[mode]=total_impressions&sort_data[direction]=desc")
    assert [ad["position"] for ad in ordered] == list(range(1, len(ordered) + 1))
    known = [ad["impressions_with_index"]["impressions_index"] for ad in ordered]
    known = [index for index in known if index >= 0]
    assert known == sorted(known, reverse=True)


def test_a_period_leaves_older_ads_out(sandbox: Sandbox) -> None:
    assert 0 < len(scraped(sandbox, SEARCH, period="last30d")) < len(scraped(sandbox, SEARCH))


def test_count_stops_the_run_or_a_few_ads_later(sandbox: Sandbox) -> None:
    for word in "abcdefgh":
        items = scraped(sandbox, SEARCH.replace("chews", word), count=40)
        assert 40 <= len(items) <= 43
        assert {ad["total"] for ad in items} == {items[0]["total"]} and items[0]["total"] >= 40
    two = scraped(sandbox, PAGE, SEARCH, limitPerSource=20)
    assert all(20 <= number <= 23 for number in Counter(ad["url"] for ad in two).values())


def test_two_urls_that_overlap_give_the_same_ad_twice(sandbox: Sandbox) -> None:
    both = scraped(sandbox, PAGE, PAGE.replace("country=ALL", "country=US"))
    assert set(Counter(ids(both)).values()) == {2}


@pytest.mark.parametrize("url", [f"{LIBRARY}?view_all_page_id=1230000", f"{LIBRARY}?q=nothing"])
def test_no_ads_is_an_item(sandbox: Sandbox, url: str) -> None:
    assert scraped(sandbox, url) == [{"error": "Ads not found", "errorCode": "ADS_NOT_FOUND", "url": url}]


def test_a_page_of_facebook_follows_the_input(sandbox: Sandbox) -> None:
    url = "https://www.facebook.com/barkwell"
    active, everything = scraped(sandbox, url), scraped(sandbox, url, **{"scrapePageAds.activeStatus": "all"})
    assert all(ad["is_active"] for ad in active) and len(everything) > len(active)


def test_a_url_that_is_not_facebooks_is_an_error_item(sandbox: Sandbox) -> None:
    [item] = scraped(sandbox, "https://www.example.com/ads")
    assert item["errorCode"] == "PAGE_NOT_LOADED" and "ad_archive_id" not in item


def test_templated_ads_have_their_text_in_the_cards(many: list[Item]) -> None:
    templated = [ad["snapshot"] for ad in many if ad["snapshot"]["display_format"] in ("DCO", "DPA") and ad["snapshot"]["cards"]]
    assert templated
    for snapshot in templated:
        assert snapshot["title"] == "{{product.name}}" and snapshot["body"] == {"text": "{{product.brand}}"}
        assert len(snapshot["cards"][0]["body"]) > 20


def test_groups_share_texts_and_media_and_their_first_ad_has_the_count(many: list[Item]) -> None:
    groups: dict[str, list[Item]] = {}
    for ad in many:
        groups.setdefault(ad["collation_id"], []).append(ad)
    group = next(ads for ads in groups.values() if ads[0]["collation_count"] == 3)
    assert [ad["collation_count"] for ad in group] == [3, None, None]
    assert {ad["collation_count"] for ad in many} >= {None, 0, 1, 2, 3, 5}
    pictures = [[urlsplit(image["original_image_url"]).path for image in ad["snapshot"]["images"]] for ad in group]
    assert pictures[0] == pictures[1] or not all(pictures)


def test_some_ads_are_as_irregular_as_real_ones(many: list[Item]) -> None:
    snapshots = [ad["snapshot"] for ad in many]
    bodies = [snapshot["body"] for snapshot in snapshots]
    links = [snapshot["link_url"] for snapshot in snapshots]
    assert None in bodies and any(isinstance(body, str) for body in bodies)
    assert any("__html" in body["markup"] for body in bodies if isinstance(body, dict) and "markup" in body)
    assert None in links and any("{{ad.name}}" in (link or "") for link in links)
    assert any(link and not link.startswith("http") for link in links)
    assert any(isinstance(snapshot["page_categories"], dict) for snapshot in snapshots)
    assert any(isinstance(ad["ad_archive_id"], int) for ad in many) and any(isinstance(ad["start_date"], str) for ad in many)
    assert any("position" not in ad for ad in many) and any(ad["total_active_time"] is None for ad in many)
    assert any(ad["spend"] and ad["currency"] == "EUR" and ad["snapshot"]["byline"] for ad in many)
    assert any(ad["targeted_or_reached_countries"] and not ad["spend"] for ad in many)
    assert any(ad["violation_types"] and not ad["snapshot"]["images"] + ad["snapshot"]["videos"] for ad in many)
    assert any(ad["end_date"] and not ad["is_active"] for ad in many)


def test_links_to_media_lead_to_the_sandbox_and_say_when_they_expire(start_sandbox: Start, clock: Any) -> None:
    sandbox = start_sandbox(clock=clock, media_seconds=600, run_seconds=0)
    image = next(ad["snapshot"]["images"][0] for ad in scraped(sandbox) if ad["snapshot"]["images"])
    link = image["original_image_url"]
    assert link.startswith(f"{sandbox.url}/cdn/") and urlsplit(link).path.endswith(".jpg")
    assert int(parse_qs(urlsplit(link).query)["oe"][0], 16) == int(clock.now + 600)


def test_ads_cost_75_cents_per_thousand(sandbox: Sandbox) -> None:
    api = Api(sandbox)
    run = api.ended(started(api, ads_input(SEARCH, count=100))["id"])
    assert run["usageTotalUsd"] == pytest.approx(len(api.items(run)) * 0.00075, abs=1e-6)
