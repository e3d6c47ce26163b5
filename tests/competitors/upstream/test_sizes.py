"""What an upstream sends is bounded before it fills the memory, and a redirect is never followed."""

import json
import zlib

import pytest

from competitors.jobs.amazon_review_scrape.order import review_order
from competitors.jobs.amazon_review_scrape.sweeps import SweepOptions
from competitors.sandbox.http import Answer
from pipeline import api
from pipeline.contract import AmbiguousStart, NotAllowed, PermanentError, RunError, UpstreamDown, get_source
from pipeline.models import RawPage, RejectedItem
from pipeline.states import RunStatus
from tests.competitors.scraping import finish, upstream_runs, work

from .altered import alter, alter_raw, bomb

# How answers are read does not depend on the database; what is stored of them does: tests/pipeline/models/test_fields.py.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]
START = "POST /v2/actors/axesso_data~amazon-reviews-scraper/runs"


@pytest.fixture(autouse=True)
def small(settings):
    settings.PIPELINE_ANSWER_BYTES, settings.PIPELINE_PAGE_ITEMS = 60_000, 64


def beside(*odd):
    """These raw items take the place of the first one."""

    def change(items):
        return b"[" + b",".join([*odd, *(json.dumps(item).encode() for item in items[1:])]) + b"]" if items else items

    return change


def test_a_page_that_is_too_large_is_read_in_smaller_ones(sandbox, run, settings):
    settings.PIPELINE_ANSWER_BYTES, settings.PIPELINE_PAGE_ITEMS = 10_000, 1000
    finish(run)
    assert (run.status, run.counts.get("rejected")) == (RunStatus.COMPLETED, 1)  # an error item of the sandbox's own
    kept = RawPage.objects.filter(upstream_run__run=run)
    assert kept.count() > 3
    assert sum(kept.values_list("items", flat=True)) == run.counts["raw"]


LONG = b'{"reviewId": "R1", "text": "%s"}' % (b"x" * 100_000)
DEEP = b'{"reviewId": "R1", "deep": %s}' % (b"[" * 20_000 + b"]" * 20_000)


@pytest.mark.parametrize("odd", [LONG, DEEP], ids=["long", "deep"])
def test_one_item_beyond_the_limits_is_rejected_and_the_others_are_saved(sandbox, run, monkeypatch, odd):
    """It is the first of the dataset, so it comes with whichever page begins there."""
    found = []

    def change(answer):
        items = json.loads(answer.body)
        offset = int(answer.headers["X-Apify-Pagination-Offset"])
        found.append((offset, len(items)))
        return Answer(answer.status, beside(odd)(items), headers=answer.headers) if items and offset == 0 else answer

    alter_raw(monkeypatch, "/items", change)
    finish(run)
    assert (run.status, run.counts["rejected"], upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2, 1), run.error_message
    kept = RejectedItem.objects.get(run=run, reason__contains="could not be read")
    assert '"reviewId": "R1"' in kept.item["beginning"]
    assert len(kept.item["beginning"]) <= 1000
    assert found[:4] == [(0, 64), (0, 16), (0, 4), (0, 1)]
    assert api.replay(run).done.counts["rejected"] == 2
    assert RejectedItem.objects.filter(run=run).count() == 2


def test_an_upstream_that_sends_full_pages_for_ever_is_read_up_to_what_can_have_been_bought(sandbox, run, settings):
    settings.PIPELINE_PAGE_ITEMS = 500
    settings.PIPELINE_ANSWER_BYTES = 2**24
    sandbox.account.faults.arm("endless_items", count=1)
    finish(run)
    upstream = run.upstream_runs.get()
    assert upstream.most_items <= upstream.read_offset < upstream.most_items + 500
    assert (run.status, run.verdict, run.counts["raw"]) == (RunStatus.COMPLETED, "partial", upstream.read_offset)
    said = f"Apify sent {upstream.read_offset:,} items, though at most {upstream.max_items:,} were ordered."
    assert said in run.summary
    assert run.logs.filter(message__startswith=said, level="warning").count() == 1
    assert upstream.cost_actual <= upstream.cost_cap


@pytest.mark.parametrize("path", ["/v2/actor-runs/", "GET /v2/actor-runs", "/runs", START])
def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_read(sandbox, run, monkeypatch, path):
    """Neither a second start nor a death: the run waits for a readable answer."""
    with monkeypatch.context() as patched:
        alter_raw(patched, path, bomb(50_000_000))
        for _ in range(3):
            work(run)
        run.refresh_from_db()
        assert (run.status != RunStatus.FAILED, run.recoveries, upstream_runs(sandbox)) == (True, 0, 1)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 1), run.error_message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_a_redirect_is_never_followed_and_never_leads_to_a_second_start(sandbox, run, monkeypatch, status):
    elsewhere = {"Location": f"{sandbox.url}/v2/elsewhere"}
    with monkeypatch.context() as patched:
        alter_raw(patched, START, lambda answer: Answer(status, b"", headers=elsewhere))
        work(run)
    run.refresh_from_db()
    if status in (307, 308):
        assert (run.status, run.upstream_runs.get().status) == (RunStatus.FAILED, "refused")
        assert "redirect" in run.error_message
    else:
        assert (run.is_live, run.upstream_runs.get().status) == (True, "running")  # found in the list, and adopted
        with monkeypatch.context() as patched:
            alter_raw(patched, "/v2/actor-runs/", lambda answer: Answer(status, b"", headers=elsewhere))
            work(run)
            work(run)
        finish(run)
        assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 1), run.error_message
    assert not [path for path in sandbox.state["requests"] if "elsewhere" in path]


def test_a_kept_page_that_unpacks_to_a_huge_one_is_not_replayed(sandbox, run):
    finish(run)
    RawPage.objects.filter(upstream_run__run=run).update(payload=zlib.compress(b" " * 50_000_000))
    with pytest.raises(NotAllowed, match="larger than 60,000 bytes"):
        api.replay(run)


@pytest.mark.parametrize("asked", ["nan", "inf", "-5", "1e400", "soon", "Mon, 01 Jan 0001 00:00:00 -0000"])
def test_a_rest_that_makes_no_sense_is_our_own_choice(sandbox, run, monkeypatch, asked):
    body = b'{"error": {"type": ["odd"], "message": {"a": "b"}, "data": 5}}'
    alter_raw(monkeypatch, START, lambda answer: Answer(429, body, headers={"Retry-After": asked}))
    work(run)
    run.refresh_from_db()
    assert (run.is_live, run.attempt) == (True, 0)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error": {"type": "invalid-input", "message": "a\\u0000b"}}', PermanentError),
        (404, b"<html>", UpstreamDown),
        (418, b"[" * 50_000, PermanentError),
        (500, b'"' + b"x" * 5_000_000, AmbiguousStart),
        (200, b"", AmbiguousStart),
        (201, b"\xff\xfe", AmbiguousStart),
        (200, b"[" * 50_000, AmbiguousStart),
        (200, b"5", AmbiguousStart),
    ],
)
def test_any_answer_to_a_start_is_one_of_our_errors(sandbox, listing, monkeypatch, status, body, kind):
    alter_raw(monkeypatch, START, lambda answer: Answer(status, body))
    with pytest.raises(RunError) as caught:
        get_source("apify").start(review_order(listing, SweepOptions(), []), "cp-1")
    assert type(caught.value) is kind


def test_a_refusal_with_nul_in_its_message_ends_the_run_once_with_that_message(sandbox, run, monkeypatch):
    """It could not be written on PostgreSQL: the run "gave no sign of life", and its start was sent again."""
    body = b'{"error": {"type": "invalid-input", "message": "no \\u0000 such \\ud83d field"}}'
    met: list[str] = []
    alter_raw(monkeypatch, START, lambda answer: Answer(400, body), met)
    work(run)
    run.refresh_from_db()
    assert (run.status, run.recoveries, len(met)) == (RunStatus.FAILED, 0, 1)
    assert "no  such \ufffd field" in run.error_message


def test_a_null_among_the_items_stops_nothing(sandbox, run, monkeypatch):
    alter(monkeypatch, "/items", beside(b"null"))
    finish(run)
    assert (run.status, run.counts["rejected"] > 0) == (RunStatus.COMPLETED, True), run.error_message
    assert None in RejectedItem.objects.filter(run=run).values_list("item", flat=True)
