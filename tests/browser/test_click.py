"""A click becomes reviews, as an operator sees it in the browser."""

import re

from playwright.sync_api import expect

from pipeline import api
from pipeline.models import Run
from tests.factories import make_competitor, make_listing
from tests.processes import reached, until


def test_a_click_becomes_reviews_without_a_reload(open_page, worker, sandbox, listing):
    page = open_page(listing.competitor.get_absolute_url())
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name=f"Scrape reviews of {listing.asin}").click()
    expect(page.get_by_role("status").filter(has_text="Review scrape queued!")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    panel = page.locator(f"#listing-{listing.asin}")
    row = panel.get_by_role("table").get_by_role("row").filter(has_text="Run ").last  # the table of its runs
    expect(row.filter(has_text="At Apify")).to_be_visible()
    sandbox.account.finish()
    expect(row.filter(has_text="Completed")).to_be_visible(timeout=30_000)
    expect(panel.get_by_role("button", name="Scrape")).to_be_visible()
    assert page.evaluate("window.sameDocument") is True
    run = Run.objects.get()
    assert run.counts["new"] == listing.reviews().count() > 100
    expect(panel).to_contain_text("Fresh")
    page.wait_for_function("!document.querySelector('#poll').hasAttribute('hx-get')")  # no live run: the page stops polling
    panel.get_by_role("link", name="Read").click()
    expect(page.get_by_role("row")).to_have_count(26)


def test_a_second_click_is_told_what_the_first_one_does(open_page, listing):
    first, second = open_page(listing.competitor.get_absolute_url()), open_page(listing.competitor.get_absolute_url())
    for page in (first, second):
        page.get_by_role("button", name="Scrape").first.click()
    expect(second.get_by_role("status").filter(has_text="already queued")).to_contain_text("by you, 1st in the queue")
    assert Run.objects.count() == 1


def test_data_of_another_listing_is_used_free_when_somebody_presses_that(open_page, worker, sandbox, listing):
    other = make_listing(make_competitor(listing.brand, "Pawsome"), asin=listing.asin)
    payer = api.queue_one_time_job(other.brand.pk, "amazon_review_scrape", {"competitor_amazon_url_id": str(other.pk)}).run
    until(lambda: sandbox.state["runs_started"], "the paid start")
    sandbox.account.finish()
    until(reached(payer, "completed"), "the end of the paid run")
    page = open_page(listing.competitor.get_absolute_url())
    panel = page.locator(f"#listing-{listing.asin}")
    expect(panel).to_contain_text(f"Run {payer.pk} fetched the same data")
    panel.get_by_role("button", name="Use it, free").click()
    expect(panel).to_contain_text("Completed")
    expect(panel).to_contain_text(f"Uses run {payer.pk}'s scrape")
    expect(panel.get_by_role("button", name="Use it, free")).to_have_count(0)
    assert Run.objects.latest("pk").cost_actual == 0
    assert sandbox.state["runs_started"] == 1
    assert listing.reviews().count() == other.reviews().count() > 100


def test_it_works_without_javascript(open_page, worker, sandbox, listing):
    page = open_page(listing.competitor.get_absolute_url(), java_script_enabled=False)
    page.get_by_role("button", name="Scrape").first.click()
    expect(page.get_by_role("status").filter(has_text="Review scrape queued!")).to_be_visible()
    for words in ("At Apify", "Completed"):
        for _ in range(120):
            page.reload()
            if page.get_by_text(words).count():
                break
            page.wait_for_timeout(250)
        expect(page.get_by_text(words).first).to_be_visible()
        sandbox.account.finish()


def test_legacy_follows_the_run_and_counts_inline(open_page, sandbox, listing):
    page = open_page(listing.competitor.get_absolute_url())
    page.get_by_label("Scrape reviews directly (legacy)").check()
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("button", name=f"Scrape directly: scrape reviews of {listing.asin}").click()
    expect(page.get_by_role("status").filter(has_text="started on the web server")).to_be_visible()
    panel = page.locator(f"#listing-{listing.asin}")
    expect(panel).to_contain_text(re.compile(r"Search \d+ of 31"))
    sandbox.account.finish()
    expect(panel).to_contain_text("finished:", timeout=30_000)
    assert Run.objects.get().mode == "legacy"


def test_the_whole_click_works_by_keyboard_alone(open_page, listing):
    page = open_page(listing.competitor.get_absolute_url())
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Scrape reviews of {listing.asin}":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "focus must be seen"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Review scrape queued!")).to_be_visible()


def test_a_run_is_cancelled_and_retried_from_its_page(open_page, listing):
    page = open_page(listing.competitor.get_absolute_url())
    page.get_by_role("button", name=f"Scrape reviews of {listing.asin}").click()
    page.get_by_role("link", name="See run").first.click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("region", name="Result")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("region", name="Result")).to_contain_text("Queued")
