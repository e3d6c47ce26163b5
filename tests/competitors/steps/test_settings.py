"""Who changed what of something that is scraped: its page shows it, whichever page changed it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from competitors.models import CompetitorAmazonUrl
from competitors.steps.subject_rows import archive
from pipeline.models import Event
from tests.factories import make_brand, make_competitor, make_listing, make_person
from tests.reddit_rows import make_research

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(client: Client) -> Client:
    client.force_login(make_person("maria", "admin"))
    return client


def told(client: Client, job_type: str, brand: Any, key: Any) -> list[str]:
    """The settings' events on the subject's page, newest first."""
    answer = client.get(reverse("subject", args=[job_type, brand.slug]), {"subject": str(key)})
    assert answer.status_code == 200
    return [one.event.message for one in answer.context["history"].moments if one.event]


def test_a_listing_s_page_tells_who_added_it_changed_it_and_renamed_or_archived_its_competitor(maria: Client) -> None:
    competitor = make_competitor(make_brand("Acme"))
    of = [competitor.brand.slug, competitor.pk]
    maria.post(reverse("amazon_add", args=of), {"amazon_url": "https://www.amazon.com/dp/B09XK4T2LM"})
    listing = CompetitorAmazonUrl.objects.get()
    maria.post(reverse("amazon_edit", args=[*of, listing.pk]), {"amazon_url": "https://www.amazon.de/dp/B09XK4T2LM"})
    maria.post(reverse("amazon_edit", args=[*of, listing.pk]), {"amazon_url": "https://www.amazon.de/dp/B09XK4T2LM"})
    maria.post(reverse("competitor_edit", args=of), {"name": "Barkwell <b>"})
    maria.post(
        f"/admin/competitors/competitoramazonurl/{listing.pk}/change/", {"amazon_url": "https://www.amazon.de/dp/B0CQ7Z8M4T"}
    )
    competitor.refresh_from_db()
    make_listing(competitor, asin="B0DK5F3N7Q")
    archive(competitor, None)
    found = told(maria, "amazon_review_scrape", competitor.brand, listing.pk)
    assert found[0] == "Competitor “Barkwell <b>” of Acme was archived by None."
    assert found[1].endswith("asin was B09XK4T2LM, is B0CQ7Z8M4T.")
    assert found[2] == "Changed by maria: name was Barkwell, is Barkwell <b>."
    assert found[3].endswith("domain code was amazon.com, is amazon.de.")
    assert found[4:] == ["Added by maria."]
    assert (
        Event.objects.filter(kind="settings", by__username="maria").count() == 5
    )  # nothing for a form that changed nothing; the competitor's page has its name too


def test_a_research_that_asks_for_something_else_tells_it_under_both_keys(maria: Client) -> None:
    research = make_research(make_brand("Acme"), subreddits=["dogs"], max_posts=500)
    before = research.subject
    fields = {name: value for name, value in research.parameters().items() if name not in ("persona_id", "search_queries")}
    asked = fields | {
        "name": research.name,
        "search_queries": "\n".join([*research.search_queries, "barks"]),
        "top_percentile": 20,
    }
    asked = {name: value for name, value in asked.items() if value is not False}
    answer = maria.post(reverse("reddit_edit", args=[research.brand.slug, research.pk]), asked | {"max_posts": 400, "do": "save"})
    assert answer.status_code == 302 or answer.status_code == 303, answer.content.decode()
    research.refresh_from_db()
    [now] = told(maria, "reddit_scrape", research.brand, research.subject)
    assert now.startswith("Changed by maria: ")
    assert "max posts was 500, is 400" in now
    assert [one.message for one in Event.objects.filter(subject=before)] == [now]


def test_what_the_admin_deletes_is_told_as_removed_one_by_one_several_at_once_and_with_the_competitor(maria: Client) -> None:
    competitor = make_competitor(make_brand("Acme"))
    asins = ("B09XK4T2LM", "B0DK5F3N7Q", "B0CQ7Z8M4T", "B0CQ7Z8M4U")
    one, *several, last = [make_listing(competitor, asin=asin) for asin in asins]
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in several], "post": "yes"}
    for address, fields, gone in (
        (f"competitoramazonurl/{one.pk}/delete/", {"post": "yes"}, [one]),
        ("competitoramazonurl/", chosen, several),
        (f"competitor/{competitor.pk}/delete/", {"post": "yes"}, [last]),
    ):
        assert maria.post(f"/admin/competitors/{address}", fields).status_code == 302
        told = Event.objects.filter(kind="settings", subject__in=[str(row.pk) for row in gone])
        assert [event.message for event in told] == ["Removed by maria."] * len(gone)
    assert not CompetitorAmazonUrl.objects.exists()
