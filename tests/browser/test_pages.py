"""Each page of subjects filled, in both themes, narrow and wide: nothing scrolls sideways, axe and the console are silent.

`make test-pages` walks the whole matrix and leaves screenshots in the folder SHOTS_DIR.
"""

import json
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from pipeline import api
from pipeline.models import DatasetStatus
from tests.browser.test_accessibility import RULES
from tests.competitors import runs
from tests.factories import make_listing, make_review

WORDS = {  # what each state of the tab must show
    "empty": ["has no Amazon URL", "Add listing"],
    "filled": ["Scrape all (4", "Scrape ≈", "Late", "Next scrape", "Every day at 06:00", "All runs of this listing"],
    "live": ["This scrape", "Cancel", "22 of 31", "Live, every 3 s"],
    "failed": ["Failed", "Amazon says this product no longer exists."],
}
ABSENT = {  # no button or link of the page begins with this
    "": (),
    "manager": (),
    "operator": ("Schedule", "Pause scraping"),
    "viewer": ("Schedule", "Pause scraping", "Scrape", "Next scrape", "Cancel", "Add listing", "Retry", "Edit", "Remove"),
}
CASES = [
    pytest.param(state, width, role, marks=[pytest.mark.exhaustive] * ((state, role) != ("filled", "") or width == 390))
    for role in ABSENT
    for state in WORDS
    for width in (1280, 390, 320)
]


def put(state, listing):
    """The listing's competitor in one of the states."""
    rows = [listing, *(make_listing(listing.competitor, asin=f"B00000000{number}") for number in range(3))]
    if state == "empty":
        type(listing).objects.all().delete()
        return
    old = timezone.now() - timedelta(days=9)
    for number, row in enumerate(rows[:2]):
        make_review(row, review_id=f"R{number:09}")
        run = runs.ended(runs.queued(row), counts={"new": 42})
        runs.paid(run, "1", "1.59")
        DatasetStatus.objects.create(
            brand=row.brand, dataset_key="amazon_reviews", subject=str(row.pk), last_success_at=old, last_run=run
        )
    parameters = {"competitor_amazon_url_id": str(listing.pk)}
    api.ensure_recurring_job(listing.brand.pk, "amazon_review_scrape", "0 6 * * *", parameters)
    if state == "live":
        runs.running(rows[2])
    if state == "failed":
        runs.ended(runs.queued(rows[2]), "failed", summary="", error_message="Amazon says this product no longer exists.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("state", "width", "role"), CASES)
def test_each_page_of_subjects_is_whole(open_page, listing, state, width, role, scheme):
    put(state, listing)
    tab = listing.competitor.get_absolute_url()
    page = open_page("/", role=role, color_scheme=scheme, viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    walk, absent = {tab: WORDS[state]}, ABSENT[role]
    if state != "empty" and "Scrape" not in absent:
        walk[f"{tab}several/?all=1"] = ["in all, never more than", "Keep as is"]
    if state != "empty" and "Schedule" not in absent:
        walk[f"{tab}{listing.pk}/schedule/"] = ["Schedule of", "runs a month", "Save schedule"]
    for path, words in walk.items():
        page.goto(path)
        for word in words:
            if not word.startswith(absent):
                expect(page.get_by_text(word).or_(page.get_by_role("button", name=word)).first).to_be_attached()
        for word in absent:
            named = re.compile(f"^{word}")
            expect(page.get_by_role("button", name=named).or_(page.get_by_role("link", name=named))).to_have_count(0)
        violations = Axe().run(page, options=RULES).response["violations"]
        found = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in violations]
        assert not found, f"{path}: {json.dumps(found)}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{path} is {wide} px too wide"
        assert not said, f"{path}: {said}"
        if folder := os.environ.get("SHOTS_DIR"):
            name = re.sub(r"\W+", "-", path.removeprefix(tab).replace(str(listing.pk), "")).strip("-") or "tab"
            page.screenshot(path=Path(folder) / f"{name}-{state}-{role or 'all'}-{width}-{scheme}.png", full_page=True)


def test_eight_empty_listings_are_short_and_two_filled_ones_are_on_a_phone(open_page, listing):
    for number in range(7):
        make_listing(listing.competitor, asin=f"B00000000{number}")
    tab = listing.competitor.get_absolute_url()
    high = "document.documentElement.scrollHeight"
    assert open_page(tab, viewport={"width": 1280, "height": 900}).evaluate(high) < 1_300
    assert open_page(tab, viewport={"width": 390, "height": 900}).evaluate(high) < 1_900


def test_what_is_open_ticked_and_typed_survives_each_poll(open_page, listing):
    other, third = (make_listing(listing.competitor, asin=f"B00000000{number}") for number in (2, 3))
    run = runs.running(third)
    page = open_page(listing.competitor.get_absolute_url())
    page.locator(f"#more-{other.asin} > summary").click()
    page.locator(f"#more-{third.asin} > summary").click()  # it was open
    page.locator(f"#include_keywords-{other.asin}").uncheck()
    page.locator(f"#pick-{listing.asin}").check()
    page.locator("#add_amazon_url").fill("half an addr")
    page.locator(".menu > summary").first.click()
    expect(page.get_by_role("button", name="Scrape 1 (≈ $0.93)")).to_be_visible()
    for done in (23, 24):
        runs.put(run, progress={"done": done, "total": 31, "unit": "searches"})
        expect(page.locator(f"#listing-{third.asin}")).to_contain_text(f"{done} of 31")
    assert page.evaluate("[...document.querySelectorAll('details')].map((one) => one.open)").count(True) == 2  # row and menu
    expect(page.locator(f"#unfold-{other.asin}")).to_be_visible()
    expect(page.locator(f"#unfold-{third.asin}")).to_be_hidden()
    expect(page.locator(f"#include_keywords-{other.asin}")).not_to_be_checked()
    expect(page.locator(f"#pick-{listing.asin}")).to_be_checked()
    expect(page.locator("#add_amazon_url")).to_have_value("half an addr")


def test_the_price_on_the_button_follows_the_ticks(open_page, listing):
    page = open_page(listing.competitor.get_absolute_url())
    page.locator(f"#more-{listing.asin} > summary").click()
    expect(page.locator(f"#button-{listing.asin}")).to_contain_text("≈ $0.93")
    page.locator(f"#include_keywords-{listing.asin}").uncheck()
    expect(page.locator(f"#button-{listing.asin}")).to_contain_text("≈ $0.27")


def test_without_javascript_nothing_claims_to_be_live_and_rows_unfold(open_page, listing):
    runs.running(listing)
    other = make_listing(listing.competitor, asin="B000000002")
    page = open_page(listing.competitor.get_absolute_url(), java_script_enabled=False)
    expect(page.get_by_text("Live", exact=True)).to_be_hidden()
    expect(page.get_by_role("button", name="Pause updates")).to_be_hidden()
    expect(page.locator(f"#unfold-{other.asin}")).to_be_hidden()
    page.locator(f"#more-{other.asin} > summary").click()
    expect(page.locator(f"#unfold-{other.asin}")).to_be_visible()
    expect(page.locator("#several-button")).to_be_hidden()
    page.locator(f"#pick-{other.asin}").check()
    page.locator("#several-button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Scrape reviews of 1 listing?")


def test_a_message_about_a_run_says_how_it_ended(open_page, listing):
    page = open_page(listing.competitor.get_absolute_url())
    page.get_by_role("button", name="Scrape reviews of").click()
    expect(page.locator(".messages .message")).to_contain_text("Review scrape queued!")
    run = type(runs.queued(listing)).objects.get()
    runs.ended(run)
    expect(page.locator(".messages .message")).to_contain_text(f"Run {run.pk} completed: 42 new")
    expect(page.locator(".messages .message")).not_to_contain_text("queued!")


def test_unfold_tick_schedule_and_cancel_work_by_keyboard_alone(open_page, listing):
    page = open_page(listing.competitor.get_absolute_url())

    def press_on(selector, key="Enter"):
        """Reach it by Tab, then press."""
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return page.keyboard.press(key)
        raise AssertionError(f"{selector} was not reached by Tab")

    press_on(f"#more-{listing.asin} > summary")
    expect(page.locator(f"#unfold-{listing.asin}")).to_be_visible()
    press_on(f"#include_keywords-{listing.asin}", " ")
    expect(page.locator(f"#include_keywords-{listing.asin}")).not_to_be_checked()
    press_on(f"#schedule-{listing.asin}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Schedule of")
    press_on("#schedule button")
    expect(page.get_by_text("Schedule of B09XK4T2LM saved")).to_be_visible()
    page.wait_for_load_state()
    press_on(f"#button-{listing.asin}")
    expect(page.get_by_role("status").filter(has_text="Review scrape queued!")).to_be_visible()
    page.wait_for_load_state()
    press_on(f"#cancel-{listing.asin}")
    expect(page.locator(f"#listing-{listing.asin}")).to_contain_text("Cancelled")
