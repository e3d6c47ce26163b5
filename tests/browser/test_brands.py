"""Importing a file, and archiving, as a person sees it in the browser."""

import json
import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from competitors.models import Competitor

from .test_accessibility import RULES

ROWS = """competitor;amazon_url;notes
Barkwell;https://www.amazon.com/Chews/dp/B09XK4T2LM?th=1;
BARKWELL;https://www.amazon.de/dp/B0CQ7Z8M4T;
Müller & Söhne;https://www.amazon.com/dp/B0DK5F3N7Q;
Müller & Söhne;https://www.amazon.com/dp/B0DK5F3N7Q;
Pawsome;https://example.com/a-very-long-address-without-a-place-to-break-"""


def check(page, name):
    """Nothing violates WCAG or scrolls sideways; SHOTS_DIR=<folder> keeps a screenshot."""
    if folder := os.environ.get("SHOTS_DIR"):
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png", full_page=True)
    violations = Axe().run(page, options=RULES).response["violations"]
    found = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in violations]
    assert not found, f"{name}: {json.dumps(found)}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, f"{name} is {wide} px too wide"


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_file_is_previewed_and_imported(open_page, listing, scheme, width):
    page = open_page("/competitors/northpaw/", role="operator", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("link", name="Import CSV").click()
    page.get_by_label("CSV file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": b"name\nBarkwell\n"})
    page.get_by_role("button", name="Show preview").click()
    expect(page.get_by_role("alert").filter(has_text="“competitor” is not among them")).to_be_visible()
    check(page, f"import-refused-{scheme}")
    data = (ROWS + "x" * 150 + ";\n").encode("cp1252")
    page.get_by_label("CSV file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": data})
    page.get_by_role("button", name="Show preview").click()
    expect(page.get_by_role("heading", name="Import 3 rows?")).to_be_visible()
    check(page, f"import-preview-{scheme}")
    assert Competitor.objects.count() == 1
    page.get_by_role("button", name="Import 3 rows").click()
    expect(page.get_by_role("heading", name="3 rows imported")).to_be_visible()
    check(page, f"import-report-{scheme}")
    page.get_by_role("link", name="See the competitors").click()
    expect(page.get_by_role("link", name="Müller & Söhne")).to_be_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_a_competitor_is_archived_and_restored(open_page, listing, width):
    page = open_page(listing.competitor.get_absolute_url(), role="manager", viewport={"width": width, "height": 900})
    page.get_by_role("link", name="Archive").click()
    check(page, "archive-ask")
    page.get_by_role("button", name="Archive competitor").click()
    expect(page.get_by_role("status").filter(has_text="Archived Barkwell.")).to_be_visible()
    page.get_by_role("link", name="Show 1 archived").click()
    check(page, "archived-list")
    page.get_by_role("link", name="Barkwell").click()
    expect(page.get_by_text("Barkwell is archived. Restore it first.").first).to_be_visible()
    expect(page.get_by_role("button", name="Scrape")).to_have_count(0)
    check(page, "archived-tab")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("button", name=f"Scrape reviews of {listing.asin}")).to_be_visible()
