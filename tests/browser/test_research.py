"""Brand Research as an operator sees it: a click becomes files, and its pages are whole on any screen."""

import json
import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from competitors.models import AdAccount, AdMedia
from pipeline.models import Run
from tests.browser.test_accessibility import RULES


def test_a_click_becomes_files_and_each_page_is_whole(open_page, worker, sandbox, listing, settings):
    """The worker has the same settings (conftest.py)."""
    settings.META_GRAPH_URL, settings.META_ACCESS_TOKEN = sandbox.graph_url, "a-token-for-tests"
    settings.MEDIA_EXTRA_HOSTS = [sandbox.url.removeprefix("http://")]
    sandbox.account.config.ads_per_account = 12
    one, two = (AdAccount.objects.create(brand=listing.brand, account_id=f"act_77{number}") for number in (1, 2))
    page = open_page(one.get_absolute_url())
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.get_by_role("button", name=f"Download files of {one}").click()
    expect(page.get_by_role("status").filter(has_text="Download queued!")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    expect(page.locator(f"#ad-account-{one.pk}")).to_contain_text("Fresh", timeout=60_000)
    assert page.evaluate("window.sameDocument") is True
    stored = AdMedia.objects.filter(status="stored").count()
    assert Run.objects.get().counts["new"] == stored > 8
    expect(page.locator("#summary")).to_contain_text(f"{stored} files stored")
    expect(page.locator("#banner")).to_contain_text("1 of 2 ad accounts never refreshed")
    page.get_by_label("Download files directly (legacy)").check()
    page.get_by_role("button", name="Apply").first.click()
    page.get_by_role("button", name=f"Download directly: download files of {two}").click()
    expect(page.locator(f"#ad-account-{two.pk}")).to_contain_text("Fresh", timeout=60_000)
    expect(page.locator("#banner")).to_be_hidden()
    assert Run.objects.latest("pk").mode == "legacy"
    base = one.get_absolute_url().partition("#")[0]
    for path, width, scheme in (
        (base, 1280, "light"),
        (base, 320, "dark"),
        (f"{base}?state=unavailable", 320, "light"),
        ("/brands/", 320, "dark"),
        (f"{base}several/?all=1", 320, "light"),
    ):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(path)
        violations = Axe().run(page, options=RULES).response["violations"]
        found = [(rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in violations]
        assert not found, f"{path} {width} {scheme}: {json.dumps(found)}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{path} is {wide} px too wide"
        if folder := os.environ.get("SHOTS_DIR"):
            name = path.strip("/").replace("/", "-").replace("?", "-")
            page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
    assert not said, said
