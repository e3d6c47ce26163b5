"""Which scrapes count as fresh data, and which are to be checked by a person. Through the sandbox."""

import pytest

from pipeline import api
from pipeline.models import DatasetStatus, Run
from pipeline.states import RunStatus
from tests.competitors.scraping import finish

pytestmark = pytest.mark.django_db(transaction=True)


def scrape(listing, **options):
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False, **options}
    return finish(api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run)


@pytest.mark.parametrize(("fault", "words"), [("no_items", "Apify found no reviews")])
def test_an_implausible_result_is_to_be_checked_and_not_fresh(sandbox, listing, fault, words):
    sandbox.account.faults.arm(fault)
    run = scrape(listing)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "suspicious")
    assert words in run.summary
    status = DatasetStatus.objects.get()
    assert (status.last_success_at, words in status.error_message) == (None, True)


def test_far_fewer_than_usual_is_to_be_checked(sandbox, listing):
    for _ in range(2):
        scrape(listing)
    Run.objects.update(counts={"new": 100_000})
    assert scrape(listing).verdict == "ok", "two runs are too few to tell what is usual"
    Run.objects.update(counts={"new": 100_000})
    run = scrape(listing)
    assert run.verdict == "suspicious"
    assert "Far fewer than usual" in run.summary
    assert scrape(listing).verdict == "suspicious", "an odd run that nobody accepted does not count as usual"


def test_what_is_usual_is_told_by_runs_with_the_same_options_only(sandbox, listing):
    for _ in range(3):
        scrape(listing, include_keywords=True)
    Run.objects.update(counts={"new": 100_000})
    other = scrape(listing)
    assert other.verdict == "ok"
    parameters = other.parameters
    for number in range(10):
        other.pk, other.parameters = None, {**parameters, "asin": f"label {number}"}
        other.save()
    assert scrape(listing, include_keywords=True).verdict == "suspicious", "runs with other options do not hide them"


def test_only_error_items_are_to_be_checked_and_not_bought_again(sandbox, listing):
    sandbox.account.faults.arm("only_errors")
    run = scrape(listing)
    assert (run.status, run.verdict, sandbox.state["runs_started"]) == (RunStatus.COMPLETED, "suspicious", 1)
    assert "could be read as a review" in run.summary
    assert run.rejected.exists()


def test_an_empty_result_is_to_be_checked_and_not_bought_again(sandbox, listing):
    scrape(listing)
    sandbox.account.faults.arm("no_items")
    run = scrape(listing)
    assert (run.status, run.verdict, run.attempt) == (RunStatus.COMPLETED, "suspicious", 0)
    assert "Earlier runs found some" in run.summary
    assert sandbox.state["runs_started"] == 2
    assert listing.reviews().exists()
    api.accept(run, None)
    again = scrape(listing)
    assert (again.verdict, "Earlier runs found some" in again.summary) == ("suspicious", True), "and so is the next one"


def test_a_scrape_that_the_vendors_plan_cut_is_partial(sandbox, listing):
    sandbox.account.faults.arm("plan_limit")
    run = scrape(listing)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "partial")
    assert "Free plan: stopped after" in run.summary
    assert listing.reviews().count() == run.counts["new"] > 0
    assert DatasetStatus.objects.get().last_success_at is None
