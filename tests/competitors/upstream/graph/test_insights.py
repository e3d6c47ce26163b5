"""Insights are read over real HTTP: all of them, whatever Meta refuses, and they add up to what the sandbox knows."""

import json
import tracemalloc
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from competitors.sandbox.endpoints import graph_insights
from competitors.sandbox.graph.nodes import World, id_of
from competitors.sandbox.graph.performance import truth
from competitors.sandbox.http import Answer
from competitors.sandbox.media.links import Links
from competitors.upstream.graph import AdAccountReader, ReportStatus, http, insights, query, reports
from pipeline.contract import BlockedError, PermanentError, SlowDown, TransientError, UpstreamDown
from tests.competitors.upstream.altered import WRONG, alter, alter_raw, with_field

from .conftest import TOKEN

pytestmark = pytest.mark.only_on("sqlite")
NUMBER = "123456789"
ACCOUNT = f"act_{NUMBER}"
SINCE, UNTIL = date(2026, 8, 1), date(2026, 8, 12)
NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
AGE_GENDER, PLACES = ("age", "gender"), ("publisher_platform", "platform_position")


@pytest.fixture(autouse=True)
def at(monkeypatch, sandbox, time_machine):
    """Nobody waits, and a report is done at once."""
    time_machine.move_to(NOW, tick=False)
    sandbox.account.config.change({"report_seconds": 0})
    for module, name, value in ((http, "PAUSES", (0, 0)), (reports, "GONE_PAUSES", (0, 0)), (insights, "LOOK_PAUSE", 0)):
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def asked(monkeypatch):
    """The questions that Meta got, as it read them."""
    found = []
    real = graph_insights._question

    def question(*given):
        one, moment = real(*given)
        found.append(one)
        return one, moment

    monkeypatch.setattr(graph_insights, "_question", question)
    return found


def read(account=ACCOUNT, since=SINCE, until=UNTIL, **options):
    parts = list(AdAccountReader(account).insights(since, until, **options))
    return [item for part in parts for item in part.items], [one for part in parts for one in part.lost]


def true(sandbox, account=NUMBER, since=SINCE, until=UNTIL):
    world = World(sandbox.account.config.seed, int(sandbox.account.config.ads_per_account), Links("", 0))
    return truth(account, since, until, world, sandbox.account.now())


def spent(rows):
    return sum(Decimal(row["spend"]) for row in rows)


def keys(rows, *names):
    return Counter(tuple(row[name] for name in ("ad_id", "date_start", *names)) for row in rows)


def test_all_days_of_all_ads_come_once_and_add_up_to_the_truth(sandbox, monkeypatch):
    monkeypatch.setattr(reports, "PAGE", 50)
    rows, lost = read()
    known = true(sandbox)
    assert lost == []
    assert keys(rows) == Counter((one["ad_id"], one["date"]) for one in known["ads"])
    assert spent(rows) == spent(known["ads"]) > 0
    whole, _ = read(level="account")
    assert spent(whole) == spent(known["account"]) > spent(known["ads"]), "deleted ads are in the account's total only"
    for names in (AGE_GENDER, PLACES):
        parts, lost = read(breakdowns=names)
        assert spent(parts) == spent(known["ads"]) and lost == []
        assert set(keys(parts, *names).values()) == {1}


@pytest.mark.parametrize("breakdowns", [AGE_GENDER, PLACES])
def test_reach_which_meta_does_not_split_for_days_long_ago_is_not_asked_for_with_a_breakdown(asked, breakdowns):
    rows, lost = read(breakdowns=breakdowns)
    assert rows and lost == []
    assert asked and all(not {"reach", "frequency"} & set(one.fields) for one in asked)


@pytest.mark.parametrize("fault", ["days:3", "days:1:1487534", "rows:9:1504038"])
@pytest.mark.parametrize("breakdowns", [(), PLACES], ids=["whole", "parts"])
def test_a_question_that_is_too_large_is_split_until_it_answers(sandbox, asked, fault, breakdowns):
    until = SINCE + timedelta(days=4)
    whole, _ = read(until=until, breakdowns=breakdowns)
    asked.clear()
    sandbox.account.faults.arm("graph_insights_too_large", fault)
    rows, lost = read(until=until, breakdowns=breakdowns)
    assert lost == []
    assert sorted(rows, key=str) == sorted(whole, key=str)
    if fault.startswith("rows"):
        [of_ids] = [one for one in asked if not one.daily]
        assert of_ids.breakdowns == () and of_ids.since == SINCE - timedelta(days=28), "ids come from a report of their own"
    assert sandbox.account.faults.struck["graph_insights_too_large"] < 100


def test_a_refusal_midway_loses_no_row_and_repeats_none(sandbox, monkeypatch):
    monkeypatch.setattr(reports, "PAGE", 50)
    whole, _ = read()
    sandbox.account.faults.arm("graph_insights_too_large", "days:1", count=3, skip=2)
    rows, lost = read()
    assert sandbox.account.faults.struck["graph_insights_too_large"] == 3
    assert (sorted(rows, key=str), lost) == (sorted(whole, key=str), [])


@pytest.mark.parametrize("breakdowns", [(), AGE_GENDER], ids=["whole", "parts"])
def test_a_field_that_always_fails_for_one_ad_stays_out_and_is_named(sandbox, breakdowns):
    whole, _ = read(breakdowns=breakdowns)
    bad_id, bad_day = whole[0]["ad_id"], whole[0]["date_start"]
    number = int(bad_id[4:9])
    sandbox.account.faults.arm("graph_field_fails", f"inline_link_clicks:{number}:{bad_day}")
    rows, [lost] = read(breakdowns=breakdowns)
    assert (lost.name, lost.ad_id, lost.day) == ("inline_link_clicks", bad_id, date.fromisoformat(bad_day))
    assert str(lost) == f"inline_link_clicks of ad {bad_id} on {bad_day}: Meta fails to answer about it."
    for row in whole:
        if (row["ad_id"], row["date_start"]) == (bad_id, bad_day):
            row.pop("inline_link_clicks", None)
    assert sorted(map(by_name, rows)) == sorted(map(by_name, whole)), "all else of that day is there"


def by_name(row):
    return str(sorted(row.items()))


@pytest.mark.parametrize("name", ["video_p95_watched_actions", "actions"])
def test_a_field_that_meta_no_longer_knows_is_left_out(sandbox, name):
    whole, _ = read()
    sandbox.account.faults.arm("graph_dead_field", name)
    sandbox.account.faults.arm("graph_insights_too_large", "rows:15")
    rows, [lost] = read()
    assert lost.name == name and lost.ad_id == "" and "no longer knows it" in lost.reason
    assert sorted(map(by_name, rows)) == sorted(by_name({key: row[key] for key in row if key != name}) for row in whole)
    started = AdAccountReader(ACCOUNT).start_report(SINCE, UNTIL)
    assert [one.name for one in started.lost] == [name]


def test_a_breakdown_that_meta_no_longer_knows_is_left_out(sandbox):
    sandbox.account.faults.arm("graph_dead_field", "platform_position")
    rows, [lost] = read(breakdowns=PLACES)
    assert lost.name == "platform_position"
    assert rows and all("platform_position" not in row and row["publisher_platform"] for row in rows)
    sandbox.account.faults.arm("graph_dead_field", "age")
    assert read(breakdowns=("age",))[0] == [], "without any breakdown, rows would be of whole ads"
    with pytest.raises(PermanentError, match="nothing to ask Meta for. age: Meta no longer knows it"):
        AdAccountReader(ACCOUNT).start_report(SINCE, UNTIL, breakdowns=("age",))


def test_without_its_key_a_question_makes_no_sense(sandbox):
    sandbox.account.faults.arm("graph_dead_field", "ad_id")
    with pytest.raises(PermanentError, match="Meta refused the request about the insights of act_123456789"):
        read()


@pytest.mark.parametrize(("number", "zone"), [("50064", "Pacific/Auckland"), ("50808", "Pacific/Honolulu")])
@pytest.mark.parametrize("hour", [5, 11, 15, 23])
def test_days_that_meta_no_longer_keeps_are_not_asked_for(sandbox, time_machine, asked, number, zone, hour):
    time_machine.move_to(NOW.replace(hour=hour, minute=59), tick=False)
    today = NOW.replace(hour=hour).astimezone(ZoneInfo(zone)).date()
    _, [lost] = read(f"act_{number}", since=date(2020, 1, 1), until=date(2023, 9, 1), level="account")
    first = today.replace(year=2023, month=7) + timedelta(days=1)
    assert asked[0].since == first
    assert f"before {first} cannot be read" in str(lost)
    gone = {"since": date(2020, 1, 1), "until": date(2020, 2, 1)}
    assert read(f"act_{number}", **gone)[0] == []
    with pytest.raises(PermanentError, match="nothing to ask Meta for. Days: Meta keeps 37 months"):
        AdAccountReader(f"act_{number}").start_report(**gone)


@pytest.mark.parametrize(("code", "error"), [(4, SlowDown), (17, BlockedError), (613, BlockedError), (80000, BlockedError)])
def test_throttling_midway_is_a_wait(sandbox, monkeypatch, code, error):
    monkeypatch.setattr(reports, "PAGE", 50)
    sandbox.account.faults.arm("graph_throttled", code, skip=2)
    parts = AdAccountReader(ACCOUNT).insights(SINCE, UNTIL)
    assert len(next(parts).items) == len(next(parts).items) == 50
    with pytest.raises(error) as raised:
        next(parts)
    assert type(raised.value) is error
    assert (raised.value.asked if error is SlowDown else raised.value.seconds) == 300


def test_a_limit_that_is_used_up_is_not_hit(sandbox):
    reader = AdAccountReader(ACCOUNT)
    sandbox.account.faults.arm("graph_usage", 100, count=1)
    assert list(reader.insights(SINCE, SINCE))
    before = sandbox.state["requests"]
    with pytest.raises(BlockedError, match="used up.*continues by itself") as raised:
        list(reader.insights(SINCE, SINCE))
    assert raised.value.seconds == 300
    assert sandbox.state["requests"] == before
    assert list(reader.insights(SINCE, SINCE)), "afterwards it goes on"


def test_a_report_is_started_waited_for_and_read_page_by_page(sandbox, monkeypatch, caplog):
    caplog.set_level("DEBUG")
    monkeypatch.setattr(reports, "SMALLER", (50, 5))
    sandbox.account.config.change({"report_seconds": 1000})
    reader = AdAccountReader(ACCOUNT)
    started = reader.start_report(SINCE, UNTIL, breakdowns=AGE_GENDER)
    assert reader.report_state(started.report_id).status == ReportStatus.RUNNING
    sandbox.account.finish()
    state = reader.report_state(started.report_id)
    assert (state.status, state.percent) == (ReportStatus.DONE, 100)
    sandbox.account.faults.arm("graph_report_gone_once", count=1, path="/insights")
    pages = list(reader.report_pages(started.report_id))
    assert len(pages) > 4
    rows = [row for page in pages for row in page.items]
    assert sorted(rows, key=str) == sorted(read(breakdowns=AGE_GENDER)[0], key=str)
    assert TOKEN not in caplog.text and "access_token" not in caplog.text


def test_trap_a_report_is_done_only_when_both_its_word_and_its_percentage_say_so(sandbox, monkeypatch):
    reader = AdAccountReader(ACCOUNT)
    report_id = reader.start_report(SINCE, SINCE).report_id
    for change in (with_field("Job Running", "async_status"), with_field(99, "async_percent_completion")):
        with monkeypatch.context() as patch:
            alter(patch, f"/{report_id}", change)
            assert reader.report_state(report_id).status == ReportStatus.RUNNING
    for name in ("async_status", "async_percent_completion", "error_code"):
        for value in WRONG.values():
            with monkeypatch.context() as patch:
                alter(patch, f"/{report_id}", with_field(value, name))
                assert reader.report_state(report_id).status in (ReportStatus.RUNNING, ReportStatus.DONE)


def test_a_report_that_fails_at_100_percent_can_be_read_at_once_instead(sandbox):
    sandbox.account.faults.arm("graph_field_fails", "reach:1")
    reader = AdAccountReader(ACCOUNT)
    state = reader.report_state(reader.start_report(SINCE, UNTIL).report_id)
    assert (state.status, state.percent) == (ReportStatus.FAILED, 100)
    assert state.reason == "Meta's report failed at 100 % (code 1 and 1504038)."
    rows, lost = read()
    assert spent(rows) == spent(true(sandbox)["ads"])
    assert {(one.name, one.ad_id) for one in lost} == {("reach", id_of("ad", NUMBER, 1))}
    sandbox.account.faults.arm("graph_report_failed", 40)
    report_id = reader.start_report(SINCE, SINCE).report_id
    assert reader.report_state(report_id).status == ReportStatus.FAILED


def test_a_report_that_meta_does_not_find_for_a_moment_is_asked_for_again(sandbox):
    reader = AdAccountReader(ACCOUNT)
    report_id = reader.start_report(SINCE, SINCE).report_id
    sandbox.account.faults.arm("graph_report_gone_once", count=2)
    assert reader.report_state(report_id).status == ReportStatus.DONE
    sandbox.account.faults.arm("graph_report_gone_once")
    for call in (reader.report_state, lambda asked: list(reader.report_pages(asked))):
        with pytest.raises(TransientError, match="does not find its own report"):
            call(report_id)


@pytest.mark.parametrize("cursor", [lambda page: "same", str])
def test_a_list_that_never_ends_is_a_failed_try(monkeypatch, cursor):
    monkeypatch.setattr(http, "MOST_PAGES", 5)
    pages = (http.Page([number], cursor(number)) for number in range(9))
    with pytest.raises(TransientError, match=r"about the ads of act_1 does not end\."):
        list(http.every_page(lambda after: next(pages), "the ads of act_1"))


@pytest.mark.parametrize("fault", ["drop_answer", "broken_json"])
def test_a_request_for_a_report_that_got_no_answer_is_not_repeated(sandbox, fault):
    sandbox.account.faults.arm(fault)
    with pytest.raises(TransientError):
        AdAccountReader(ACCOUNT).start_report(SINCE, UNTIL)
    assert len(sandbox.account.reports) == 1


def test_if_meta_refuses_whatever_is_asked_it_ends(sandbox, monkeypatch):
    monkeypatch.setattr(insights, "MOST_REFUSALS", 8)
    sandbox.account.faults.arm("graph_insights_too_large", "days:0")
    with pytest.raises(TransientError, match="refused 8 requests in a row"):
        read()
    assert sandbox.account.faults.struck["graph_insights_too_large"] == 8


def test_a_passing_fault_on_a_later_page_loses_nothing(sandbox, monkeypatch):
    monkeypatch.setattr(reports, "PAGE", 50)
    sandbox.account.faults.arm("graph_unavailable", count=2, skip=2)
    assert spent(read()[0]) == spent(true(sandbox)["ads"])
    sandbox.account.faults.arm("graph_unavailable", skip=2)
    with pytest.raises(UpstreamDown):
        read()


@pytest.mark.parametrize("name", ["data", "paging"])
def test_an_answer_may_be_anything(sandbox, monkeypatch, name):
    for value in WRONG.values():
        with monkeypatch.context() as patch:
            alter(patch, f"/{ACCOUNT}/insights", with_field(value, name))
            with suppress(TransientError):  # any other error is a bug
                read(until=SINCE)
    odd = [None, 7, "x", {}, {"ad_id": [1], "date_start": {"a": 1}}]
    alter(monkeypatch, f"/{ACCOUNT}/insights", with_field(odd, "data"))
    assert read(until=SINCE)[0] == odd, "who reads them decides"


def test_purchases_are_counted_as_ads_manager_counts_them_and_say_by_which_setting():
    for level in ("ad", "account"):
        asked = query.Query.of(level, SINCE, UNTIL, ()).parameters()
        assert asked["use_unified_attribution_setting"] == "true"
        assert "attribution_setting" in asked["fields"].split(",")


def test_a_filter_never_has_so_many_ids_that_the_address_gets_too_long():
    whole = query.Query.of("ad", SINCE, SINCE, ())
    ids = tuple(f"1202{n:014d}" for n in range(1001))
    for parts in (whole.of_ads(ids), whole.of_campaigns(ids)):
        assert max(len(one.ads + one.campaigns) for one in parts) <= query.MOST_IDS
        assert sum((one.ads + one.campaigns for one in parts), ()) == ids


def test_rows_that_were_given_take_no_memory(sandbox, monkeypatch):
    """Of each, a number stays, so that a thousand ads and thirty days fit."""
    [row] = read(until=SINCE)[0][:1]
    pages = iter(range(10))

    def page(_: Answer) -> Answer:
        number = next(pages)
        rows = [row | {"ad_id": f"{number}{n}", "date_start": str(number)} for n in range(500)]
        more = {"cursors": {"after": str(number)}, "next": "yes"} if number < 9 else {}
        return Answer(200, json.dumps({"data": rows, "paging": more}).encode())

    alter_raw(monkeypatch, f"/{ACCOUNT}/insights", page)
    rows, sizes = 0, []
    tracemalloc.start()
    for part in AdAccountReader(ACCOUNT).insights(SINCE, SINCE):
        rows += len(part.items)
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert rows == 5000
    assert sizes[-1] - sizes[1] < sizes[1] / 2, "less than half a page, after eight more"
