"""Answers of the upstream are read field by field: each field in turn is missing or wrong, and the run still ends well."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from competitors.jobs.amazon_review_scrape.order import review_order
from competitors.jobs.amazon_review_scrape.sweeps import SweepOptions
from competitors.models import AmazonReview
from competitors.upstream.apify_answers import cost
from pipeline import api
from pipeline.contract import NotAllowed, RunError, get_source
from pipeline.engine.upstreams.watch import ask_account
from pipeline.models import RawPage, RejectedItem, Run, UpstreamRun
from pipeline.states import RunStatus
from tests.competitors.scraping import finish, upstream_runs, work
from tests.processes import until

from .altered import GONE, WRONG, alter, with_field

# How answers are read does not depend on the database; what is stored of them does: tests/pipeline/models/test_fields.py.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

RUN_FIELDS = [
    ("data",),
    ("data", "id"),
    ("data", "status"),
    ("data", "startedAt"),
    ("data", "finishedAt"),
    ("data", "usageTotalUsd"),
    ("data", "statusMessage"),
    ("data", "meta"),
    ("data", "meta", "userAgent"),
    ("data", "defaultDatasetId"),
    ("data", "defaultKeyValueStoreId"),
    ("data", "pricingInfo"),
    ("data", "options"),
    ("data", "stats"),
]
LIST_FIELDS = [("data",), ("data", "items"), ("data", "total"), ("data", "items", "*")]
IN_LISTS = [names[1:] for names in RUN_FIELDS[1:] if names[1] not in ("statusMessage", "options", "stats")]
LIST_FIELDS += [("data", "items", "*", *names) for names in IN_LISTS]


@pytest.fixture
def order(sandbox, listing):
    return review_order(listing, SweepOptions(include_keywords=False, include_helpful=False), [])


def outcome(call):
    """What the source answers, or its error. Any other exception fails the test."""
    try:
        return call()
    except RunError as error:
        return error


@pytest.mark.parametrize("names", RUN_FIELDS, ids=".".join)
def test_a_run_of_which_one_field_is_wrong_is_read_all_the_same(sandbox, order, monkeypatch, names):
    apify = get_source("apify")
    good = apify.start(order, "cp-1")
    essential = names in {("data",), ("data", "id"), ("data", "status")}
    for kind, value in WRONG.items():
        with monkeypatch.context() as patched:
            met = alter(patched, f"/v2/actor-runs/{good.id}", with_field(value, *names))
            seen = outcome(lambda: apify.read_run(good.id))
            assert met
            if essential and (isinstance(seen, RunError) or kind in ("text", "long", "nul", "path")):
                continue
            assert (seen.id, seen.state in ("running", "succeeded")) == (good.id, True), kind
            assert seen.cost_usd is None or 0 <= seen.cost_usd < 10_000
            assert all(
                at is None or abs(timezone.now() - at) < timedelta(days=5000) for at in (seen.started_at, seen.finished_at)
            )
            assert all(value.isalnum() for value in seen.extra.values())


@pytest.mark.parametrize("names", RUN_FIELDS, ids=".".join)
def test_a_start_whose_answer_is_wrong_is_clear_or_ambiguous_but_never_refused(sandbox, order, monkeypatch, names):
    for kind, value in WRONG.items():
        with monkeypatch.context() as patched:
            alter(patched, "POST /v2/actors/axesso_data~amazon-reviews-scraper/runs", with_field(value, *names))
            answer = outcome(lambda: get_source("apify").start(order, "cp-1"))
            assert type(answer).__name__ in ("Seen", "AmbiguousStart"), kind


@pytest.mark.parametrize("names", LIST_FIELDS, ids=".".join)
def test_a_list_of_which_one_field_is_wrong_is_read_all_the_same(sandbox, order, monkeypatch, names):
    apify, since = get_source("apify"), timezone.now() - timedelta(minutes=1)
    good = apify.start(order, "cp-1")
    until(lambda: list(apify.ended_since(since)), "the end upstream")
    whole = names in {("data",), ("data", "items"), ("data", "items", "*"), ("data", "items", "*", "id")}
    for kind, value in WRONG.items():
        with monkeypatch.context() as patched:
            alter(patched, "/runs", with_field(value, *names))
            found = outcome(lambda: list(apify.candidates(order, since)))
            if not whole:
                assert [one.id for one in found] == [good.id], kind
            elif not isinstance(found, RunError):  # never "there is none": it would be started again
                assert [one.id for one in found] != [] or value == [], kind
        with monkeypatch.context() as patched:
            alter(patched, "GET /v2/actor-runs", with_field(value, *names))
            ended = outcome(lambda: list(apify.ended_since(since)))
            assert whole or ended == [good.id], kind


@pytest.mark.parametrize(
    ("path", "names", "value"),
    [
        ("GET /v2/actor-runs", ("data", "items", "*", "usageTotalUsd"), GONE),
        ("GET /v2/actor-runs", ("data", "items", "*", "finishedAt"), 12),
        ("/v2/actor-runs/", ("data", "pricingInfo"), {"pricingModel": "PAY_PER_WHISPER"}),
        ("/v2/actor-runs/", ("data", "defaultDatasetId"), GONE),
        ("/v2/actor-runs/", ("data", "finishedAt"), "9999-12-31T23:59:59Z"),
        ("/v2/actor-runs/", ("data", "startedAt"), "0001-01-01T00:00:00+23:59"),
        ("/v2/actor-runs/", ("data", "usageTotalUsd"), -5),
        ("/v2/actor-runs/", ("data", "statusMessage"), "a\0b\x1b" + "x" * 100_000),
        ("POST /v2/actors/axesso_data~amazon-reviews-scraper/runs", ("data", "id"), "../../x"),
        ("POST /v2/actors/axesso_data~amazon-reviews-scraper/runs", ("data", "startedAt"), "2015-06-01T00:00:00Z"),
        ("POST /v2/actors/axesso_data~amazon-reviews-scraper/runs", ("data", "status"), GONE),
        ("POST /v2/actors/axesso_data~amazon-reviews-scraper/runs", ("data", "defaultDatasetId"), "a/b"),
        ("/items", ("*",), None),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "gone" if value is GONE else repr(value)[:30],
)
def test_the_whole_run_ends_and_is_paid_once_whatever_one_field_holds(sandbox, run, monkeypatch, path, names, value):
    alter(monkeypatch, path, with_field(value, *names))
    finish(run)
    assert upstream_runs(sandbox) == 1
    if path == "/items":
        assert (run.status, run.verdict, run.counts["rejected"]) == (RunStatus.COMPLETED, "suspicious", run.counts["raw"])
    else:
        assert (run.status, run.attempt, run.counts["new"] > 0) == (RunStatus.COMPLETED, 0, True), run.error_message
    assert run.upstream_runs.get().cost_actual > 0


def test_the_watch_sees_an_end_in_a_list_with_an_odd_entry(sandbox, run, order, monkeypatch):
    get_source("apify").start(order, "cp-other")
    work(run)
    ours = run.upstream_runs.get()
    sandbox.account.abort(sandbox.account.run(ours.upstream_id))

    def change(data):
        data["data"]["items"] += [None, 5, {"id": "no/id"}, {}]
        return data

    alter(monkeypatch, "GET /v2/actor-runs", change)
    later = timezone.now() + timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(due_at=later)
    until(lambda: (ask_account(get_source("apify")), Run.objects.get(pk=run.pk).due_at < later)[1], "the watch to wake the run")


def test_a_cost_that_makes_no_sense_is_unknown():
    assert [cost(value) for value in (1.5, 0, "1.5", True, -1, 10**400, 1e300, None, float("nan"))] == [
        Decimal("1.5"),
        Decimal(0),
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("upstream_id", ["..", "a/b", "a\0", "A" * 80, "ä", "a b", "", "٣"])
def test_an_id_that_is_none_is_refused_at_every_door(sandbox, run, monkeypatch, upstream_id):
    sandbox.account.faults.arm("drop_start", count=1)
    work(run)
    UpstreamRun.objects.filter(run=run).update(status="unknown")
    Run.objects.filter(pk=run.pk).update(status="failed", completed_at=timezone.now())
    run.refresh_from_db()
    with pytest.raises(NotAllowed):
        api.adopt(run, upstream_id, None)
    assert get_source("apify").link(upstream_id) == ""
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED


def test_numbers_and_texts_of_any_kind_in_items_are_kept_and_landed(sandbox, run, monkeypatch):
    odd = '{"reviewId":"R1ODD","asin":"B09XK4T2LM","rating":1e999,"text":"a\\u0000b\\ud83d","n":%s,"x":NaN}' % ("9" * 5000)

    def change(items):
        return json.dumps(items).encode()[:-1] + (b"," if items else b"") + odd.encode() + b"]" if items else items

    alter(monkeypatch, "/items", change)
    finish(run)
    assert run.status == RunStatus.COMPLETED
    assert RawPage.objects.filter(upstream_run__run=run).count() >= 1
    assert not RejectedItem.objects.filter(run=run, item__reviewId="R1ODD").exists()
    assert AmazonReview.objects.get(review_id="R1ODD").body == "ab\ufffd"
    assert api.replay(run).pages >= 1
