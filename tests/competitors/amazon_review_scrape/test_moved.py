"""A listing that is edited to another product starts anew, and has its history again when it is edited back."""

import pytest

from competitors.jobs.amazon_review_scrape import service
from competitors.jobs.amazon_review_scrape.listings import save_address
from competitors.jobs.amazon_review_scrape.views.tab import tab
from competitors.models import CompetitorAmazonUrl
from competitors.views.subjects import panels
from pipeline import api
from pipeline.contract import NotAllowed
from pipeline.models import DatasetStatus, Run
from tests.competitors.amazon_review_scrape.test_verdicts import scrape
from tests.competitors.scraping import finish, work

pytestmark = pytest.mark.django_db(transaction=True)


def edit(page, listing, asin):
    address = f"/competitors/{listing.competitor.brand.slug}/{listing.competitor_id}/amazon/{listing.pk}/edit/"
    assert page.post(address, {"amazon_url": f"https://www.amazon.com/dp/{asin}"}).status_code == 303
    return CompetitorAmazonUrl.objects.get(pk=listing.pk)


def panel(listing, user):
    (shown,) = panels.build(tab, listing.competitor.brand, [listing], tab.facts([listing]), user, {})
    return shown


def shown(listing, user):
    one = panel(listing, user)
    figures = (listing.product_title, listing.last_scraped_at, listing.total_reviews_scraped, listing.scrape_cost_estimate)
    return figures, [row.run.pk for row in one.runs], one.spend.usd, one.usual, one.estimate.cost_usd, one.last_good


def test_it_starts_anew_and_back_again_shows_its_history(sandbox, listing, operator, page):
    new = shown(listing, operator)
    for _ in range(3):
        scrape(listing)
    listing.refresh_from_db()
    known = shown(listing, operator)
    moved = edit(page, listing, "B0OTHER001")
    figures, runs, spent, usual, price, last_good = shown(moved, operator)
    assert (figures, runs, spent, last_good) == (("", None, 0, None), [], 0, None)
    assert (usual, price) == (new[3], new[4])
    assert usual.startswith("Learning: 0 of 3")
    assert shown(edit(page, moved, listing.asin), operator) == known


def test_data_of_the_product_before_is_not_saved_as_the_new_ones(sandbox, listing, page, settings):
    settings.PIPELINE_RETRY_SPEND_USD = 0
    sandbox.account.faults.arm("end_as", value="FAILED:0.6")
    run = scrape(listing)
    assert run.status == "failed"
    moved = edit(page, listing, "B0OTHER001")
    api.retry(run, None)
    finish(run)
    assert (run.status, moved.reviews().count()) == ("failed", 0)
    assert "Start a new run." in run.error_message


def test_a_result_of_the_product_before_is_not_accepted_as_the_new_ones(sandbox, listing, page):
    sandbox.account.faults.arm("no_items")
    run = scrape(listing)
    assert run.verdict == "suspicious"
    moved = edit(page, listing, "B0OTHER001")
    with pytest.raises(NotAllowed, match="no longer scraped under this name"):
        api.accept(run, None)
    assert not DatasetStatus.objects.filter(subject=str(moved.pk), last_success_at__isnull=False).exists()


def test_kept_pages_of_the_product_before_are_not_read_into_the_new_one(sandbox, listing, page):
    run = scrape(listing)
    moved = edit(page, listing, "B0OTHER001")
    with pytest.raises(NotAllowed, match="no longer scraped under this name"):
        api.replay(run)
    assert moved.reviews().count() == 0
    edit(page, moved, "B09XK4T2LM")
    assert api.replay(run).done.records


def move(listing, *asins):
    for asin in asins:
        listing.asin = asin
        save_address(listing, None, moved=True)


def figures(listing):
    listing.refresh_from_db()
    return listing.product_title, listing.last_scraped_at, listing.total_reviews_scraped, listing.scrape_cost_estimate


def test_the_title_that_its_only_scrape_brought_comes_back_too(sandbox, listing):
    listing.product_title = ""
    listing.save()
    run = scrape(listing)
    known = figures(listing)
    assert known[0] and run.subject_label == f"{known[0]} ({listing.asin})"
    move(listing, "B0OTHER001", "B0OTHER002", "B09XK4T2LM")
    assert figures(listing) == known


def test_a_result_that_ends_after_the_edit_is_not_the_new_products(sandbox, listing, run, monkeypatch):
    """The page refuses the edit while a run is live; the two may still cross."""
    judge = service.judge

    def meanwhile(*args, **named):
        move(CompetitorAmazonUrl.objects.get(), "B0OTHER001")
        return judge(*args, **named)

    monkeypatch.setattr(service, "judge", meanwhile)
    finish(run)
    assert (run.status, figures(listing)[1:]) == ("completed", (None, 0, None))
    assert not DatasetStatus.objects.exists()


def test_a_run_from_before_this_was_recorded_ends_as_it_was_begun(sandbox, listing, run):
    work(run)
    Run.objects.update(about="")
    finish(run)
    assert (run.status, listing.reviews().count()) == ("completed", run.counts["new"]), run.error_message
