"""Faults of items: what older builds wrote, what is repeated, missing, broken or not found."""

import json
from collections import Counter
from pathlib import Path

import pytest

from competitors.sandbox.server import Sandbox

from .ads import LIBRARY, PAGE, SEARCH, Start, ids, scraped, with_fault


def test_no_ads_at_all_as_a_fault_and_only_for_one_run(sandbox: Sandbox) -> None:
    items = with_fault(sandbox, "ads_not_found")
    assert [item["errorCode"] for item in items] == ["ADS_NOT_FOUND"]
    assert len(scraped(sandbox)) >= 60


def test_the_shape_of_2024(sandbox: Sandbox) -> None:
    new, old = scraped(sandbox)[0], with_fault(sandbox, "old_shape")[0]
    assert (old["adArchiveID"], old["pageID"], old["startDate"]) == (str(new["ad_archive_id"]), new["page_id"], new["start_date"])
    assert old["adid"] == "0" and old["isActive"] is True and "ad_archive_id" not in old
    assert old["publisherPlatform"][0] == "facebook"
    assert isinstance(old["snapshot"]["page_id"], int) and isinstance(old["snapshot"]["page_categories"], dict)
    assert "__html" in old["snapshot"]["body"]["markup"]


def test_camel_case_everywhere(sandbox: Sandbox) -> None:
    old = with_fault(sandbox, "old_shape", "deep")[0]["snapshot"]
    assert {"displayFormat", "linkUrl", "ctaText", "pageName"} <= set(old)


def test_a_shape_that_does_not_exist_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="camel"):
        sandbox.account.faults.arm("old_shape", "pascal")


def test_items_that_come_twice(sandbox: Sandbox) -> None:
    assert Counter(Counter(ids(with_fault(sandbox, "repeat_items", 0.5, count=40))).values())[2] >= 20


def test_items_that_are_missing(sandbox: Sandbox) -> None:
    all_ads = ids(scraped(sandbox))
    fewer = ids(with_fault(sandbox, "hide_items", 0.25))
    assert set(fewer) < set(all_ads)
    assert len(fewer) == pytest.approx(len(all_ads) * 0.75, abs=1)


def test_items_without_a_usable_id(sandbox: Sandbox) -> None:
    broken = with_fault(sandbox, "malformed_items", 4)[:5]
    assert [type(ad["ad_archive_id"]) for ad in broken[:4]] == [str, type(None), dict, list]
    assert broken[0]["ad_archive_id"] == "" and ids(broken)[4].isdigit()


def test_items_with_an_error_and_an_id(sandbox: Sandbox) -> None:
    items = with_fault(sandbox, "errors_with_ids", 2)
    assert ["error" in item for item in items[:3]] == [True, True, False]
    assert all(ad_id.isdigit() for ad_id in ids(items[:2]))


def test_only_errors_are_pages_that_did_not_load(sandbox: Sandbox) -> None:
    assert [item["errorCode"] for item in with_fault(sandbox, "only_errors")] == ["PAGE_NOT_LOADED"]


def test_recorded_ads_are_served_unchanged(start_sandbox: Start, tmp_path: Path) -> None:
    snake = [{"ad_archive_id": str(number), "page_id": "7", "snapshot": None} for number in range(3)]
    camel = [{"adArchiveID": "9", "pageID": "8"}]
    for name, items in (("meta_ads_camel", camel), ("meta_ads_snake", snake), ("amazon_reviews", [{"asin": "B"}])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    sandbox = start_sandbox(data=tmp_path)
    assert scraped(sandbox, f"{LIBRARY}?view_all_page_id=7") == snake
    assert scraped(sandbox, f"{LIBRARY}?view_all_page_id=8") == camel
    assert scraped(sandbox, f"{LIBRARY}?q=ALL0000000") == camel + snake
    assert scraped(sandbox, f"{LIBRARY}?q=ALL0000002") == snake
    assert len(scraped(sandbox, SEARCH)) > 60 and len(scraped(sandbox, PAGE)) > 60
