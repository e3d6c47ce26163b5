"""The Template Queue in Chromium: keys act on the card that has the focus, and the bar knows what is ticked."""

import pytest
from playwright.sync_api import expect

from competitors.models import TemplateCandidate
from tests.factories import make_candidate

pytestmark = pytest.mark.only_on("sqlite")


def test_cards_are_ticked_and_decided_about_by_keys_and_brought_back(open_page, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    rows = [make_candidate(f"100000{n}", title=f"Ad {n}", started_on=f"2026-0{n + 1}-01") for n in range(4)]
    page = open_page("/templates/", role="operator")
    page.locator(f"#card-{rows[1].pk} .card__link").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"#card-{rows[2].pk} .card__link")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#picked")).to_have_text("1")
    expect(page.get_by_role("button", name="Reject 1")).to_be_visible()
    page.locator("#pick-all").check()
    expect(page.locator("#picked")).to_have_text("3")
    page.locator("#desk_name").focus()
    page.keyboard.type("xar")  # letters in a field are letters
    expect(page.get_by_text("Rejected")).to_have_count(1)  # the tab
    page.locator(f"#card-{rows[3].pk} .card__link").focus()
    page.keyboard.press("r")
    expect(page.get_by_text("Rejected “Ad 3”.")).to_be_visible()
    assert TemplateCandidate.objects.get(pk=rows[3].pk).status == "rejected"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: “Ad 3” as before.")).to_be_visible()
    assert not TemplateCandidate.objects.exclude(status="pending").exists()
