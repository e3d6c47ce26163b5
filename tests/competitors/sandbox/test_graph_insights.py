"""Insights of the Graph API: what they look like, what they add up to, and every way to refuse them."""

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from competitors.sandbox.server import Sandbox

from .conftest import TOKEN, Api, Clock
from .test_graph import Graph

ACCOUNT = "act_123456789"
FIELDS = "ad_id,ad_name,campaign_id,spend,impressions,reach,clicks,actions,action_values,outbound_clicks,video_play_actions"
DAYS = {"since": "2026-08-01", "until": "2026-08-06"}
DAILY = {"level": "ad", "time_increment": "1", "time_range": json.dumps(DAYS), "fields": FIELDS, "limit": "5000"}


@pytest.fixture
def graph(sandbox: Sandbox) -> Graph:
    return Graph(sandbox)


def rows(graph: Graph, account: str = ACCOUNT, **query: str) -> list[dict[str, Any]]:
    return list(graph.json(f"/{account}/insights", **(DAILY | query))["data"])


def truth(graph: Graph, account: str = ACCOUNT) -> Any:
    return graph.api.get("/sandbox/insights", account=account, **DAYS).json()


def spent(found: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["spend"]) for row in found), Decimal(0))


def number_of(row: dict[str, Any]) -> int:
    return int(row["ad_id"][4:9])


def test_each_row_is_one_ad_and_day_and_every_number_is_text(graph: Graph) -> None:
    found = rows(graph)
    assert {(row["ad_id"], row["date_start"]) for row in found} == {(one["ad_id"], one["date"]) for one in truth(graph)["ads"]}
    assert len(found) < 6 * 60, "days without delivery have no row"
    numbers = [row[name] for row in found for name in ("spend", "impressions", "reach", "clicks") if name in row]
    numbers += [one[name] for row in found for one in row.get("actions", []) for name in ("value", "7d_click", "1d_view")]
    assert all(isinstance(one, str) for one in numbers)
    assert any("video_play_actions" not in row for row in found) and any(row.get("video_play_actions") for row in found)
    assert not any(row.get("actions") == [] or row.get("clicks") == "0" for row in found), "nil is left out"


def test_levels_and_breakdowns_add_up_to_the_truth_to_the_cent(graph: Graph) -> None:
    known = truth(graph)
    total = spent(known["ads"])
    assert spent(rows(graph)) == spent(rows(graph, level="campaign", fields="spend")) == total
    assert spent(rows(graph, time_increment="all_days")) == total
    for breakdowns in ("age,gender", '["publisher_platform","platform_position"]', "country"):
        assert spent(rows(graph, breakdowns=breakdowns)) == total
    assert spent(rows(graph, level="account", fields="spend")) == spent(known["account"]) > total
    everything = '[{"field":"ad.effective_status","operator":"IN","value":["ACTIVE","PAUSED","ARCHIVED","DELETED",%s]}]'
    others = '"DISAPPROVED","WITH_ISSUES","CAMPAIGN_PAUSED"'
    assert spent(rows(graph, filtering=everything % others)) == spent(known["account"]), "deleted ads can be asked for"
    [first, *_] = rows(graph)
    one = json.dumps([{"field": "campaign.id", "operator": "IN", "value": [first["campaign_id"]]}])
    assert {row["campaign_id"] for row in rows(graph, filtering=one)} == {first["campaign_id"]}


@pytest.mark.parametrize(("account", "tier"), [("act_123456789", 0), ("act_123456784", 1), ("act_123456785", 2)])
def test_an_account_has_conversions_from_one_of_three_tiers_on(graph: Graph, account: str, tier: int) -> None:
    names = ["omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase"][tier:]
    found: Counter[str] = Counter()
    for row in rows(graph, account):
        for one in row.get("actions", []):
            found[one["action_type"]] += int(one["value"])
    counted = [name for name in found if "purchase" in name]
    assert sorted(counted) == sorted([*names, "offsite_conversion.custom.77.purchase"])
    assert found[names[0]] == sum(one["purchases"] for one in truth(graph, account)["ads"])
    assert all(found[name] < found[names[0]] for name in names[1:])


def test_pages_follow_each_other_by_cursor_and_the_next_address_has_the_token(graph: Graph) -> None:
    whole, found, after = rows(graph, breakdowns="age,gender"), [], ""
    while True:
        answer = graph.json(f"/{ACCOUNT}/insights", **(DAILY | {"breakdowns": "age,gender", "limit": "700", "after": after}))
        found += answer["data"]
        if "next" not in answer["paging"]:
            break
        assert parse_qs(urlsplit(answer["paging"]["next"]).query)["access_token"] == [TOKEN]
        after = answer["paging"]["cursors"]["after"]
    assert found == whole and len(whole) > 1400


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"fields": "spend,nonsense"}, 100),
        ({"fields": "spend,,clicks"}, 100),
        ({"breakdowns": "dma"}, 100),
        ({"breakdowns": "age,country"}, 100),
        ({"level": "all"}, 100),
        ({"time_range": "yesterday"}, 100),
        ({"time_range": '{"since":"2026-08-02","until":"2026-08-01"}'}, 100),
        ({"time_range": '{"since":"2020-01-01","until":"2026-08-01"}'}, 3018),
        ({"filtering": '[{"field":"ad.name","operator":"IN","value":[]}]'}, 100),
        ({"after": "x"}, 100),
    ],
    ids=str,
)
def test_what_is_unknown_fails_the_whole_call(graph: Graph, query: dict[str, str], code: int) -> None:
    assert graph.error(f"/{ACCOUNT}/insights", **(DAILY | query)) == (400, code, None)


@pytest.mark.parametrize(
    ("ending", "zone", "currency", "today"),
    [
        ("0064", "Pacific/Auckland", "NZD", "2026-08-07"),
        ("0808", "Pacific/Honolulu", "USD", "2026-08-06"),
        ("0081", "Asia/Tokyo", "JPY", "2026-08-06"),
    ],
)
def test_days_are_the_accounts_own_and_todays_row_is_partial(
    timed: Api, clock: Clock, ending: str, zone: str, currency: str, today: str
) -> None:
    clock.now = datetime(2026, 8, 6, 12, 30, tzinfo=UTC).timestamp()
    graph = Graph(timed.sandbox)
    account = f"act_5{ending}"
    about = graph.json(f"/{account}", fields="currency,timezone_name")
    assert (about["timezone_name"], about["currency"]) == (zone, currency)
    window = json.dumps({"since": "2026-08-05", "until": "2026-08-09"})
    found = rows(graph, account, time_range=window, level="account")
    assert max(row["date_start"] for row in found) == today
    if currency == "JPY":
        assert all(row["spend"].isdigit() for row in found)
    clock.now += 86_400
    later = rows(graph, account, time_range=window, level="account")
    before, after = (next(row for row in one if row["date_start"] == today) for one in (found, later))
    assert Decimal(before["spend"]) < Decimal(after["spend"])


def test_a_report_takes_its_time_and_then_has_the_same_rows(timed: Api, clock: Clock) -> None:
    graph = Graph(timed.sandbox)
    timed.sandbox.account.config.change({"report_seconds": 100})
    with_form = {"data": DAILY, "headers": {"Authorization": f"Bearer {TOKEN}"}}
    started = graph.api.session.post(f"{timed.sandbox.graph_url}/v26.0/{ACCOUNT}/insights", **with_form)
    report = f"/{started.json()['report_run_id']}"
    seen: list[tuple[int, str, int]] = []
    for share in (0, 15, 50, 95, 100):
        clock.now += share - (seen[-1][0] if seen else 0)
        shown = graph.json(report)
        seen.append((share, shown["async_status"], shown["async_percent_completion"]))
        if share < 100:
            assert graph.error(f"{report}/insights") == (400, 100, None)
    assert [one[1:] for one in seen] == [
        ("Job Not Started", 0), ("Job Started", 0), ("Job Running", 50), ("Job Running", 100), ("Job Completed", 100)
    ]  # fmt: skip
    assert graph.json(f"{report}/insights", limit="5000")["data"] == rows(graph)
    timed.sandbox.account.faults.arm("graph_report_gone_once", count=1)
    assert graph.error(report) == (400, 100, 33)
    assert graph.json(report)["async_status"] == "Job Completed"
    timed.sandbox.account.faults.arm("graph_report_failed", 100)
    failed = graph.api.session.post(f"{timed.sandbox.graph_url}/v26.0/{ACCOUNT}/insights", **with_form).json()["report_run_id"]
    timed.sandbox.account.finish()
    shown = graph.json(f"/{failed}")
    assert (shown["async_status"], shown["async_percent_completion"], shown["error_code"]) == ("Job Failed", 100, 2)


@pytest.mark.parametrize(
    ("code", "expected"), [("1487534", (400, 100, 1487534)), ("1504038", (400, 1, 1504038)), ("1", (500, 1, None))]
)
def test_a_question_that_is_too_large_is_refused_in_three_ways(graph: Graph, code: str, expected: Any) -> None:
    graph.sandbox.account.faults.arm("graph_insights_too_large", f"days:5:{code}")
    assert graph.error(f"/{ACCOUNT}/insights", **DAILY) == expected
    assert rows(graph, time_range='{"since":"2026-08-02","until":"2026-08-06"}')
    graph.sandbox.account.faults.arm("graph_insights_too_large", f"rows:50:{code}")
    assert graph.error(f"/{ACCOUNT}/insights", **DAILY) == expected
    assert rows(graph, level="account")


def test_a_dead_name_and_a_field_that_fails_for_one_ad(graph: Graph) -> None:
    faults = graph.sandbox.account.faults
    faults.arm("graph_dead_field", "clicks")
    answer = graph.get(f"/{ACCOUNT}/insights", **DAILY)
    assert answer.json()["error"]["message"].startswith("(#100) clicks is not valid for fields param")
    assert rows(graph, fields="ad_id")
    faults.arm("graph_dead_field", "gender")
    answer = graph.get(f"/{ACCOUNT}/insights", **(DAILY | {"breakdowns": "age,gender"}))
    assert answer.json()["error"]["message"].startswith("(#100) breakdowns[1] must be one of the following values: age")
    faults.clear()
    [first, *_] = rows(graph)
    faults.arm("graph_field_fails", f"reach:{number_of(first)}:{first['date_start']}")
    assert graph.error(f"/{ACCOUNT}/insights", **DAILY) == (400, 1, 1504038)
    assert rows(graph, fields="ad_id,spend")
    others = json.dumps(
        [{"field": "ad.id", "operator": "IN", "value": [row["ad_id"] for row in rows(graph, fields="ad_id")[1:2]]}]
    )
    assert rows(graph, filtering=others)


def test_throttling_can_strike_at_the_nth_call_and_all_four_headers_say_so(graph: Graph) -> None:
    graph.sandbox.account.faults.arm("graph_throttled", 80000, count=1, skip=2)
    assert rows(graph) and rows(graph)
    answer = graph.get(f"/{ACCOUNT}/insights", **DAILY)
    assert answer.json()["error"]["code"] == 80000
    names = ("X-App-Usage", "X-Ad-Account-Usage", "X-Business-Use-Case-Usage", "x-fb-ads-insights-throttle")
    assert all(name in answer.headers for name in names)
    assert "ads_insights" in answer.headers["X-Business-Use-Case-Usage"]
    assert rows(graph)


def test_ads_tell_their_campaign_its_end_and_what_they_say(graph: Graph) -> None:
    fields = "effective_status,campaign{id,name,stop_time},adset{end_time},creative{object_story_spec,asset_feed_spec,title,body}"
    ads = graph.ads(fields=fields)
    assert any(ad["effective_status"] == "ACTIVE" and "stop_time" in ad["campaign"] for ad in ads)
    assert any("end_time" in ad["adset"] for ad in ads) and all(ad["campaign"]["name"] for ad in ads)
    assert len({str(ad["creative"].get("object_story_spec", {}).get("link_data", {}).get("message")) for ad in ads}) > 5
    assert any("bodies" in ad["creative"].get("asset_feed_spec", {}) for ad in ads)
