"""The tab's polling does not disturb somebody who uses the page."""

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from competitors.jobs.meta_sync.figures.window import today_of
from tests.competitors import runs
from tests.factories import make_listing
from tests.performance_rows import days_back, make_account, make_account_day

POLL = 3_500  # ms: longer than the poll interval of 3 s


def test_a_poll_leaves_the_focus_where_it_is(open_page, listing):
    run = runs.running(listing)
    page = open_page(listing.competitor.get_absolute_url())
    for focused in (f"#see-{listing.asin}", f"#run-{run.pk}"):
        page.focus(focused)
        with page.expect_response("**/live/**"):
            pass
        page.wait_for_timeout(200)
        expect(page.locator(focused)).to_be_focused()


def test_a_form_in_use_is_left_alone_until_its_user_goes_on(open_page, listing):
    other = make_listing(listing.competitor, asin="B000000002")
    runs.running(listing)
    page = open_page(listing.competitor.get_absolute_url())
    page.locator(f"#more-{other.asin} > summary").click()
    page.focus(f"#include_keywords-{other.asin}")
    run = runs.queued(other)
    expect(page.locator(f"#runs-{other.asin}")).to_contain_text(f"Run {run.pk}")
    expect(page.locator(f"#include_keywords-{other.asin}")).to_be_focused()
    page.focus(f"#asin-{other.asin}")
    expect(page.locator(f"#unfold-{other.asin}")).to_contain_text(f"See run {run.pk}")


def test_a_poll_that_fails_leaves_the_page_and_says_so(open_page, listing):
    run = runs.running(listing)
    page = open_page(listing.competitor.get_absolute_url())
    page.route("**/live/**", lambda route: route.fulfill(status=500, body="boom"))
    expect(page.locator("#live-trouble")).to_have_text("Could not update. Trying again.")
    expect(page.locator(f"#see-{listing.asin}")).to_have_text(f"See run {run.pk}")
    page.unroute("**/live/**")
    expect(page.locator("#live-trouble")).to_have_text("")


def test_an_answer_without_news_changes_nothing_and_the_poll_goes_on(open_page, listing):
    run = runs.put(runs.queued(listing), created_at=timezone.now() - timedelta(hours=3))
    page = open_page(listing.competitor.get_absolute_url())
    for _ in range(2):
        with page.expect_response(lambda answer: "/live/" in answer.url and answer.status == 304):
            pass
    expect(page.locator(f"#see-{listing.asin}")).to_have_text(f"See run {run.pk}")
    expect(page.locator("#live-trouble")).to_have_text("")


def test_an_end_is_announced_once_and_the_poll_stops(open_page, listing):
    run = runs.running(listing)
    page = open_page(listing.competitor.get_absolute_url())
    runs.ended(run)
    expect(page.get_by_role("status").filter(has_text=f"Run {run.pk} completed: 42 new")).to_have_count(1)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/static/" not in request.url else None)
    page.wait_for_timeout(POLL)
    assert not asked


def test_paused_updates_leave_every_page_still(open_page, listing):
    runs.running(listing)
    page = open_page(listing.competitor.get_absolute_url())
    page.get_by_role("button", name="Pause updates").click()
    expect(page.get_by_role("button", name="Resume updates")).to_be_visible()
    page.goto("/pipeline/active/")
    asked = []
    # A busy browser fetches the icon late.
    page.on("request", lambda request: asked.append(request.url) if "/static/" not in request.url else None)
    page.wait_for_timeout(POLL)
    assert not asked
    page.get_by_role("button", name="Resume updates").click()
    with page.expect_request(lambda request: "/pipeline/active/live/" in request.url):
        pass


def test_a_signed_out_user_is_sent_to_sign_in_and_back(open_page, listing):
    runs.running(listing)
    page = open_page(listing.competitor.get_absolute_url())
    page.context.clear_cookies()
    page.wait_for_url("**/login/?next=/competitors/**")


def test_the_days_behind_the_charts_come_when_they_are_unfolded(open_page):
    account = make_account()
    for day in days_back(today_of(account), 2):
        make_account_day(account, day, "31")
    page = open_page(account.performance_url())
    page.get_by_text("The same as a table").click()
    expect(page.locator("#days tbody tr")).to_have_count(14)
    expect(page.locator("#days")).to_contain_text("$31.00")
    expect(page).to_have_title(re.compile("Ad Performance"))
