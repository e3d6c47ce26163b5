"""A run that needs several paid starts is counted and judged as one: by what it holds over all of them."""

from decimal import Decimal
from itertools import pairwise

import pytest

from competitors.jobs.amazon_review_scrape import service
from pipeline import api
from pipeline.models import Run, Step
from pipeline.queries import run_row
from tests.competitors.scraping import finish, work
from tests.factories import make_brand, make_competitor, make_listing
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = ("new", "changed", "unchanged")


def met(run):
    return sum(run.counts.get(name, 0) for name in ROWS)


def queued(listing):
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    return api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run


def scraped(listing):
    return finish(queued(listing))


def failed_once(sandbox, run, end="FAILED:0.6"):
    """Its first start failed with a part of the items, which are saved."""
    sandbox.account.faults.arm("end_as", value=end, count=1)

    def tried():
        work(run)
        run.refresh_from_db()
        return run.attempt == 1

    until(tried, "the first try to fail")


@pytest.fixture
def retried(settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal(5)


@pytest.fixture
def not_retried(settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal("0.001")


def test_a_second_start_that_a_person_pays_for_completes_the_run(sandbox, listing, run, not_retried):
    failed_once(sandbox, run)
    held = listing.reviews().count()
    assert met(run) == run.counts["new"] == held > 0
    assert run.status == "failed"
    assert f"{held:,} reviews saved." in run.error_message
    assert run_row(run).rows == f"{held:,} new"
    api.start_again(run, None)
    finish(run)
    assert (run.status, run.verdict) == ("completed", "ok"), run.summary
    assert met(run) == run.counts["new"] == listing.reviews().count() > held
    listing.refresh_from_db()
    assert listing.total_reviews_scraped == listing.reviews().count()
    assert run.counts["raw"] == sum(upstream.read_offset for upstream in run.upstream_runs.all())


def test_a_second_start_of_the_next_retry_completes_the_run_as_usual(sandbox, listing, retried):
    assert [scraped(listing).verdict for _ in range(3)] == ["ok"] * 3
    listing.reviews().delete()
    run = queued(listing)
    failed_once(sandbox, run, "FAILED:0.9")
    finish(run)
    assert (run.status, run.verdict) == ("completed", "ok"), run.summary
    assert met(run) == run.counts["new"] == listing.reviews().count()
    assert run.summary.startswith(f"{run.counts['new']:,} new, 0 changed, 0 unchanged")


def test_a_duplicate_is_met_twice_in_one_start(sandbox, listing, retried):
    alone = scraped(make_listing(make_competitor(make_brand("Southpaw"), "Other"), asin=listing.asin)).counts
    run = queued(listing)
    failed_once(sandbox, run, "FAILED:1.0")
    finish(run)
    assert run.counts == {name: 2 * alone[name] for name in ("raw", "duplicate", "rejected")} | {"unchanged": alone["new"]}


def test_a_scrape_of_the_same_product_between_the_starts_changes_no_count(sandbox, listing, run, retried):
    """Whose rows were last touched by another run are still rows that this run has counted."""
    twin = make_listing(make_competitor(make_brand("Southpaw"), "Other"), asin=listing.asin)
    failed_once(sandbox, run)
    new = run.counts["new"]
    other = scraped(twin)
    assert (other.counts["unchanged"], met(other)) == (new, listing.reviews().count())
    finish(run)
    assert run.counts["new"] == new
    assert met(run) == listing.reviews().count()


def test_a_review_that_a_later_start_shows_differently_is_changed_and_no_longer_unchanged(sandbox, listing, retried):
    scraped(make_listing(make_competitor(make_brand("Southpaw"), "Other"), asin=listing.asin))
    run = queued(listing)
    failed_once(sandbox, run, "FAILED:1.0")
    assert run.counts.keys() & {"new", "changed"} == set()
    listing.reviews().update(title="What the second start does not show.")
    finish(run)
    assert run.counts.get("unchanged", 0) == run.counts.get("new", 0) == 0
    assert run.counts["changed"] == met(run) == listing.reviews().count()


def test_counts_never_fall_while_a_later_start_is_saved(sandbox, listing, run, retried, monkeypatch):
    failed_once(sandbox, run)
    seen, land = [], service._land

    def land_and_look(*arguments):
        stored = Run.objects.get(pk=run.pk)
        seen.append((met(stored), stored.counts["raw"], stored.progress.get("done") or 0))
        return land(*arguments)

    monkeypatch.setattr(service, "_land", land_and_look)
    first = met(run)
    finish(run)
    seen.append((met(run), run.counts["raw"], run.counts["raw"]))
    assert seen[0][0] == first > 0
    assert len(seen) > 1
    for before, after in pairwise(seen):
        assert before[:2] <= after[:2]


def test_a_cancelled_run_says_what_it_holds(sandbox, listing, run, retried):
    failed_once(sandbox, run)
    api.cancel(run, None)
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert run.summary == f"Cancelled before its next try. {listing.reviews().count():,} reviews saved."


def test_a_run_that_older_code_began_keeps_the_counts_of_its_pages(sandbox, listing, run, retried):
    failed_once(sandbox, run, "FAILED:1.0")
    step = Step.objects.get(run=run, name__startswith="landed")
    Step.objects.filter(pk=step.pk).update(result=run.counts)
    for page in run.upstream_runs.get().pages.all():
        page.became = b""
        page.save()
    new = run.counts["new"]
    finish(run)
    assert run.counts["new"] == new
