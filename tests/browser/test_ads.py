"""The Ads tab as an operator sees it: a click becomes ads, and its pages are whole on every screen."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from competitors.models import AdReading, CompetitorAd, LandingPage
from pipeline import api
from pipeline.models import Run
from tests.browser.test_accessibility import RULES
from tests.competitors import runs
from tests.factories import make_ad, make_library


def test_a_click_becomes_ads_without_a_reload_and_the_list_shows_them(open_page, worker, sandbox, listing):
    library = make_library(listing.competitor)
    page = open_page(library.get_absolute_url())
    page.get_by_role("button", name=f"Scrape ads of {library.label}").click()
    expect(page.get_by_role("status").filter(has_text="Ad scrape queued!")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    panel = page.locator(f"#ad-list-{library.anchor}")
    expect(panel).to_contain_text("At Apify")
    sandbox.account.finish()
    expect(panel).to_contain_text("Fresh", timeout=30_000)
    assert page.evaluate("window.sameDocument") is True
    assert Run.objects.get().counts["new"] == CompetitorAd.objects.count() > 50
    expect(page.locator("#summary")).to_contain_text(f"{CompetitorAd.objects.count()} ads saved")
    panel.get_by_role("link", name="See ads").click()
    expect(page.get_by_role("heading", name="Landing pages")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.exhaustive), 320])
def test_each_page_of_ads_is_whole(open_page, listing, width, scheme):
    library, at = make_library(listing.competitor), timezone.now()
    for number in range(30):
        status = ("active", "not_seen", "inactive")[number % 3]
        make_ad(listing.competitor, f"95225499628{number:04}", status=status, body="Calm dogs. " * (1 + number % 4 * 30))
    seen = {"first_seen_at": at, "last_seen_at": at}
    LandingPage.objects.create(competitor=listing.competitor, host="barkwell.example", path="/x" * 150, active_ads=3, **seen)
    for days in (2, 1):
        parameters = {"competitor_id": str(library.competitor_id), "ad_library_url": library.url}
        run = runs.ended(api.queue_one_time_job(listing.brand.pk, "competitor_scrape", parameters).run, counts={"new": 30})
        AdReading.objects.create(
            competitor=listing.competitor,
            url=library.url,
            run=run,
            read_at=at - timedelta(days=days),
            complete=True,
            counts={"ads": 30, "new": 1, "vanished": 1},
            ads=[f"95225499628{number:04}" for number in range(days, 30)],
        )
    page = open_page("/", color_scheme=scheme, viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    base = library.get_absolute_url().partition("#")[0]
    for name, path in (
        ("tab", base),
        ("list", f"{base}list/"),
        ("new", f"{base}list/?change=new&state=active"),
        ("remove", f"{base}{library.pk}/remove/"),
        ("add", f"{base}add/"),
    ):
        page.goto(path)
        if name == "tab":
            page.locator(f"#more-{library.anchor} > summary").click()
        violations = Axe().run(page, options=RULES).response["violations"]
        found = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in violations]
        assert not found, f"{path}: {json.dumps(found)}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{path} is {wide} px too wide"
        assert not said, f"{path}: {said}"
        if folder := os.environ.get("SHOTS_DIR"):
            page.screenshot(path=Path(folder) / f"ads-{name}-{width}-{scheme}.png", full_page=True)
