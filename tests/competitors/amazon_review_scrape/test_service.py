"""The scrape's verdicts, re-scrapes, replays and real reviews, through the sandbox."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from competitors.jobs.amazon_review_scrape import parse
from competitors.jobs.amazon_review_scrape.sweeps import SweepOptions, sweeps
from competitors.models import AmazonReview
from competitors.reading import decoded
from competitors.sandbox.server import serve
from pipeline import api
from pipeline.contract import rows_met
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.engine.execution.replay import replay
from pipeline.engine.upstreams import health
from pipeline.engine.workers.inline import work_one
from pipeline.models import DatasetStatus, Run, UpstreamRun
from pipeline.states import JobStatus, RunStatus
from tests.competitors.scraping import finish
from tests.factories import make_brand, make_competitor, make_listing, make_user, read_items
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(settings):
    with serve(run_seconds=0.1, seed=7) as sandbox:
        settings.APIFY_API_URL, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, 0
        yield sandbox


@pytest.fixture
def listing(db):
    return make_listing()


def scrape(listing, **options):
    """One scrape from click to end."""
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False, **options}
    run = api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run

    def over():
        Run.objects.filter(pk=run.pk, status="waiting").update(due_at=timezone.now())
        work_one()
        run.refresh_from_db()
        return not run.is_live or run.attempt

    until(over, f"the end of run {run.pk}")
    return run


def test_the_sweeps_are_those_that_were_asked_for():
    counts = [
        len(sweeps("B09XK4T2LM", "com", SweepOptions(k, h)))
        for k, h in ((False, False), (True, False), (False, True), (True, True))
    ]
    assert counts == [6, 28, 9, 31]
    first = sweeps("B09XK4T2LM", "com.au", SweepOptions(False, False))[0]
    assert first == {
        "asin": "B09XK4T2LM",
        "domainCode": "com.au",
        "sortBy": "recent",
        "maxPages": 10,
        "reviewerType": "all_reviews",
        "mediaType": "all_contents",
        "formatType": "current_format",
    }


def test_a_scrape_makes_the_listing_fresh_and_books_what_it_cost(sandbox, listing):
    run = scrape(listing)
    listing.refresh_from_db()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert listing.last_scraped_at == run.completed_at
    assert listing.total_reviews_scraped == listing.reviews().count() == run.counts["new"]
    assert listing.scrape_cost_estimate == run.cost_actual
    assert listing.product_title
    assert run.counts["raw"] == sum(run.counts.get(name, 0) for name in ("new", "changed", "unchanged", "duplicate", "rejected"))
    assert DatasetStatus.objects.get().subject == str(listing.pk)
    run.job.refresh_from_db()
    assert run.job.status == JobStatus.ARCHIVED


def test_a_second_scrape_finds_nothing_new_or_changed(sandbox, listing):
    first, second = scrape(listing), scrape(listing)
    assert (second.counts.get("new", 0), second.counts.get("changed", 0)) == (0, 0)
    assert second.counts["unchanged"] == first.counts["new"]


def test_new_and_edited_reviews_are_counted_as_such(sandbox, listing):
    scrape(listing)
    sandbox.account.advance(days=1, new_reviews=5)
    counts = scrape(listing).counts
    assert counts["new"] >= 1
    assert counts["changed"] >= 1


def test_a_listing_of_two_brands_shares_its_reviews(sandbox, listing):
    other = make_listing(make_competitor(make_brand("Southpaw"), "Other"))
    first = scrape(listing)
    second = scrape(other)
    assert second.counts.get("new", 0) == 0
    assert listing.reviews().count() == other.reviews().count() == first.counts["new"]
    other.delete()
    assert listing.reviews().count() == first.counts["new"]


@pytest.mark.parametrize("value", ["5a2d8a54-0000-4000-8000-000000000000", "B09XK4T2LM", ""])
def test_an_unknown_url_is_refused_before_anything_is_queued(listing, value):
    with pytest.raises(InvalidRequest) as refused:
        api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", {"competitor_amazon_url_id": value})
    assert "competitor_amazon_url_id" in refused.value.errors
    assert not Run.objects.exists()


def test_a_foreign_brands_url_is_refused(listing):
    with pytest.raises(InvalidRequest, match="There is no Amazon URL"):
        api.queue_one_time_job(make_brand("Southpaw").pk, "amazon_review_scrape", {"competitor_amazon_url_id": str(listing.pk)})


def test_a_url_that_was_removed_meanwhile_starts_nothing(sandbox, listing):
    run = api.queue_one_time_job(
        listing.competitor.brand_id, "amazon_review_scrape", {"competitor_amazon_url_id": str(listing.pk)}
    ).run
    listing.delete()
    work_one()
    run.refresh_from_db()
    assert (run.status, sandbox.state["runs_started"]) == (RunStatus.CANCELLED, 0)


# ---- replay ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def mended(monkeypatch):
    """Yesterday's parser lost the author."""
    real = parse.parse_item

    def forgetful(item, asin, domain_code):
        result = real(item, asin, domain_code)
        if isinstance(result, parse.Review):
            result.row["author"] = ""
        return result

    monkeypatch.setattr("competitors.jobs.amazon_review_scrape.service.parse_item", forgetful)
    return lambda: monkeypatch.setattr("competitors.jobs.amazon_review_scrape.service.parse_item", real)


def test_a_replay_after_a_mended_parser_changes_rows_and_asks_nobody(sandbox, listing, mended, capsys):
    run = scrape(listing)
    assert not AmazonReview.objects.exclude(author="").exists()
    mended()
    requests = sum(sandbox.state["requests"].values())
    call_command("replay", str(run.pk), "--dry-run")
    assert not AmazonReview.objects.exclude(author="").exists()
    call_command("replay", str(run.pk))
    assert "changed" in capsys.readouterr().out
    assert AmazonReview.objects.exclude(author="").count() > 100
    assert sum(sandbox.state["requests"].values()) == requests
    run.refresh_from_db()
    assert run.cost_actual == sum(row.cost_actual for row in run.upstream_runs.all())


def test_the_pages_replay_says_what_it_did_and_needs_its_own_permission(sandbox, listing, client):
    run = scrape(listing)
    address = f"{run.get_absolute_url()}replay/"
    client.force_login(make_user("clerk", "pipeline.view_run", "pipeline.scrape_run"))
    assert client.post(address).status_code == 403
    client.force_login(make_user("engineer", "pipeline.view_run", "pipeline.replay_run"))
    assert client.post(address).status_code == 303
    assert f"of run {run.pk}, free" in work_one().summary
    assert run.events.get(kind="replay").by.username == "engineer"


def test_what_a_dead_upstream_run_left_is_replayed_too(sandbox, listing, mended, client):
    """Its reviews were paid for and are stored: they are mended as any others, and the page says what became of them."""
    sandbox.account.faults.arm("end_as", value="ABORTED", count=1)
    run = scrape(listing)
    api.cancel(run, None)
    run.refresh_from_db()
    assert (run.status, AmazonReview.objects.exclude(author="").count()) == (RunStatus.CANCELLED, 0)
    mended()
    client.force_login(make_user("engineer", "pipeline.view_run", "pipeline.replay_run"))
    client.post(f"{run.get_absolute_url()}replay/")
    said = work_one().summary
    assert f"of run {run.pk}, free" in said
    assert "run was aborted" in said
    assert AmazonReview.objects.exclude(author="").exists()


def test_a_replay_that_still_reads_nothing_says_so(sandbox, listing, client):
    sandbox.account.faults.arm("only_errors")
    run = scrape(listing)
    client.force_login(make_user("engineer", "pipeline.view_run", "pipeline.replay_run"))
    client.post(f"{run.get_absolute_url()}replay/")
    work_one()
    assert run.rejected.exists()
    assert run.events.filter(kind="replay", message__contains="0 new, 0 changed, 0 unchanged").exists()


def test_a_replay_counts_what_the_run_met(sandbox, listing):
    run = scrape(listing)
    counts = replay(run).done.counts
    assert counts == {name: count for name, count in run.counts.items() if name != "new"} | {"unchanged": run.counts["new"]}
    stored = Run.objects.get(pk=run.pk).counts
    assert stored == run.counts


def test_a_replay_of_an_older_run_is_refused(sandbox, listing):
    first, second = scrape(listing), scrape(listing)
    with pytest.raises(NotAllowed, match=f"Run {second.pk} has newer data"):
        replay(first)


def test_a_replay_is_of_what_was_fetched_last_whichever_run_began_later(sandbox, listing):
    sandbox.account.faults.arm("end_as", value="ABORTED", count=1)
    first = scrape(listing)
    api.cancel(first, None)
    second = scrape(listing)
    api.retry(Run.objects.get(pk=first.pk), None)  # whose new start fetches what came since
    finish(first)
    assert (first.status, sandbox.state["runs_started"]) == (RunStatus.COMPLETED, 3)
    with pytest.raises(NotAllowed, match=f"Run {first.pk} has newer data"):
        replay(second)
    assert replay(first).pages


def test_a_run_without_pages_cannot_be_replayed(listing):
    run = api.queue_one_time_job(
        listing.competitor.brand_id, "amazon_review_scrape", {"competitor_amazon_url_id": str(listing.pk)}
    ).run
    api.cancel(run, None)
    run.refresh_from_db()
    with pytest.raises(NotAllowed, match="has no downloaded data"):
        replay(run)


# ---- real reviews ----------------------------------------------------------------------------------------------------
@pytest.mark.needs_samples
def test_every_real_review_lands_unharmed_and_only_once(samples, settings, db):
    """Compared with the file; a second scrape says 0 new, 0 changed."""
    file = samples / "amazon_reviews.jsonl"
    items = read_items(file)
    with serve(run_seconds=0.1, data=file) as sandbox:
        settings.APIFY_API_URL, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, 0
        settings.PIPELINE_DAILY_SPEND_LIMIT_USD = 1000
        listing = make_listing(asin="ALL0000000")  # the sandbox's word for every item of every file
        first, second = (scrape(listing, include_keywords=True) for _ in range(2))
    given = {item["reviewId"]: (item["asin"], decoded(item.get("title", "")), decoded(item.get("text", ""))) for item in items}
    assert {row.review_id: (row.variation, row.title, row.body) for row in listing.reviews()} == given
    assert all(row.search_text == row.searchable(row.title, row.body, row.author) for row in listing.reviews())
    assert first.counts["new"] == len(given)
    assert (second.counts.get("new", 0), second.counts.get("changed", 0)) == (0, 0)


def test_texts_that_were_cut_in_the_middle_of_a_sign_land_and_replay(tmp_path, settings, db):
    """Half a surrogate pair: legal in JSON, refused by both databases and by UTF-8. One such review must not lose the others."""
    half, file = "so good \ud83d", tmp_path / "amazon_reviews.jsonl"
    items = [
        {"reviewId": "R1", "asin": "B09XK4T2LM", "text": half, "title": half, "userName": half, "productTitle": half},
        {"reviewId": "", "asin": "B09XK4T2LM", "text": f"{half} \x00"},
        {"reviewId": "R2", "asin": "B09XK4T2LM", "text": "fine"},
    ]
    file.write_text("\n".join(map(json.dumps, items)))
    with serve(run_seconds=0.1, data=file) as sandbox:
        settings.APIFY_API_URL, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, 0
        listing = make_listing()
        run = scrape(listing)
    assert run.status == RunStatus.COMPLETED, run.error_message
    assert dict(AmazonReview.objects.values_list("review_id", "body")) == {"R1": "so good \ufffd", "R2": "fine"}
    assert run.rejected.first().item["text"] == "so good \ufffd "
    assert replay(run).pages == 1


# ---- what lands late -------------------------------------------------------------------------------------------------
def long_ago(run):
    """Everything that this run did happened a week ago."""
    week = timedelta(days=7)
    for model, names in ((Run, ["completed_at"]), (UpstreamRun, ["intent_at", "started_at", "finished_at"])):
        found = model.objects.filter(pk=run.pk) if model is Run else model.objects.filter(run=run)
        for row in found:
            found.filter(pk=row.pk).update(**{name: getattr(row, name) and getattr(row, name) - week for name in names})


def cancelled_scrape(sandbox, listing):
    """Cancelled when the reviews were on their way, which land all the same."""
    run = api.queue_one_time_job(
        listing.competitor.brand_id, "amazon_review_scrape", {"competitor_amazon_url_id": str(listing.pk)}
    ).run
    sandbox.account.faults.arm("never_ends", count=1)
    work_one()
    sandbox.account.finish()
    api.cancel(run, None)
    work_one()
    run.refresh_from_db()
    assert (run.status, run.upstream_runs.get().read_complete) == (RunStatus.CANCELLED, True)
    return run


def test_a_retry_that_lands_what_was_fetched_a_week_ago_is_as_old_as_that(sandbox, listing):
    run = cancelled_scrape(sandbox, listing)
    long_ago(run)
    api.retry(Run.objects.get(pk=run.pk), None)
    work_one()
    run.refresh_from_db()
    assert (run.status, run.verdict, sandbox.state["runs_started"]) == (RunStatus.COMPLETED, "ok", 1)
    fetched = run.upstream_runs.get().finished_at
    listing.refresh_from_db()
    assert DatasetStatus.objects.get().last_success_at == listing.last_scraped_at == fetched


def test_what_was_fetched_before_the_last_success_moves_no_clock_back(sandbox, listing):
    old = cancelled_scrape(sandbox, listing)
    long_ago(old)
    newer = scrape(listing)
    api.retry(Run.objects.get(pk=old.pk), None)
    work_one()
    old.refresh_from_db()
    listing.refresh_from_db()
    status = DatasetStatus.objects.get()
    assert (old.status, status.last_status) == (RunStatus.COMPLETED, "completed")
    assert status.last_success_at == listing.last_scraped_at == newer.completed_at


def test_a_retry_leaves_what_was_fetched_since_as_it_is(sandbox, listing):
    """What it paid for and did not read lands; where a newer run has fetched the same review, that one's words stay."""
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    old = api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run
    sandbox.account.faults.arm("never_ends", count=1)
    work_one()
    sandbox.account.finish()
    sandbox.account.faults.arm("bad_token", path="/items")
    Run.objects.filter(pk=old.pk).update(due_at=timezone.now())
    assert work_one().status == RunStatus.FAILED
    sandbox.account.faults.clear()
    health.note_success("apify")
    sandbox.account.advance(days=1, new_reviews=5)
    scrape(listing)
    stored = list(AmazonReview.objects.order_by("pk").values())
    api.retry(Run.objects.get(pk=old.pk), None)
    work_one()
    old.refresh_from_db()
    assert (old.status, old.verdict, sandbox.state["runs_started"]) == (RunStatus.COMPLETED, "ok", 2)
    assert list(AmazonReview.objects.exclude(last_run=old).order_by("pk").values()) == stored
    only_there = AmazonReview.objects.filter(last_run=old)
    assert set(only_there.values_list("last_seen_at", flat=True)) == {old.upstream_runs.get().finished_at}
    assert old.counts["new"] == only_there.count()
    assert 0 < old.counts["unchanged"] < len(stored)
    assert old.counts["raw"] == sum(old.counts.get(name, 0) for name in ("new", "changed", "unchanged", "duplicate", "rejected"))


def test_an_accepted_result_is_the_listings_last_scrape(sandbox, listing):
    sandbox.account.faults.arm("no_items")
    run = scrape(listing)
    listing.refresh_from_db()
    assert (run.verdict, listing.last_scraped_at) == ("suspicious", None)
    api.accept(run, None)
    listing.refresh_from_db()
    assert listing.last_scraped_at == run.completed_at


def test_an_accepted_result_stands_for_all_rows_that_it_met(sandbox, listing):
    scrape(listing)
    sandbox.account.faults.arm("plan_limit")
    run = scrape(listing)
    api.accept(run, None)
    assert DatasetStatus.objects.get().records_affected == rows_met(run.counts) > 0
