"""The stock admin for the domain's rows."""

from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from competitors.jobs.amazon_review_scrape.views.tab import tab
from competitors.models import AmazonReview, Competitor, CompetitorAmazonUrl
from pipeline.contract.errors import InvalidRequest
from pipeline.contract.job_type import Estimate
from pipeline.models import Job, Run
from tests.factories import make_listing, make_review

pytestmark = pytest.mark.django_db
URLS = "admin:competitors_competitoramazonurl_changelist"


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("boss"))
    return client


def act(client: Client, *listings: CompetitorAmazonUrl, action: str = "scrape_selected", **more: str) -> Any:
    return client.post(
        reverse(URLS), {"action": action, "_selected_action": [str(one.pk) for one in listings], **more}, follow=True
    )


def words(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


@pytest.mark.parametrize("model", ["competitor", "competitoramazonurl", "amazonreview"])
def test_each_model_is_searchable_and_filterable(model: str, boss: Client, listing: CompetitorAmazonUrl) -> None:
    make_review(listing)
    address = reverse(f"admin:competitors_{model}_changelist")
    assert boss.get(address).context["cl"].list_filter
    found = boss.get(address, {"q": "Barkwell" if model == "competitor" else "B09XK4T2LM"})
    assert found.context["cl"].result_count == 1
    assert boss.get(address, {"q": "nothing"}).context["cl"].result_count == 0


def test_reviews_are_filtered_by_stars_and_marketplace_without_reading_all_of_them(
    boss: Client, listing: CompetitorAmazonUrl
) -> None:
    make_review(listing)
    make_review(listing, review_id="R2", rating=None, domain_code="de")
    address = reverse("admin:competitors_amazonreview_changelist")
    asked = {"rating__exact": "5"}, {"rating__isnull": "True"}, {"domain_code__exact": "de"}, {"domain_code__exact": "fr"}
    found = [[row.review_id for row in boss.get(address, query).context["cl"].result_list] for query in asked]
    assert found == [["R1AAAAAAAA"], ["R2"], ["R2"], []]
    with CaptureQueriesContext(connection) as queries:
        boss.get(address)
    assert not [query["sql"] for query in queries if "DISTINCT" in query["sql"]]


def test_reviews_are_read_only(boss: Client, listing: CompetitorAmazonUrl) -> None:
    review = make_review(listing)
    address = reverse("admin:competitors_amazonreview_change", args=[review.pk])
    assert boss.get(address).status_code == 200
    assert boss.post(address, {"title": "better"}).status_code == 403
    assert boss.get(reverse("admin:competitors_amazonreview_add")).status_code == 403
    assert boss.post(reverse("admin:competitors_amazonreview_delete", args=[review.pk]), {"post": "yes"}).status_code == 403


def test_the_action_says_how_many_became_what(boss: Client, listing: CompetitorAmazonUrl) -> None:
    other = make_listing(listing.competitor, asin="B000000002")
    act(boss, listing)
    assert "1 review scrape queued, 1 already queued or running, 0 refused." in words(act(boss, listing, other))
    assert Run.objects.count() == 2


def test_a_refusal_is_counted_and_the_others_still_go(boss: Client, listing: CompetitorAmazonUrl) -> None:
    with patch("competitors.views.subjects.several.api.queue_many", return_value=[InvalidRequest("No <b>such</b> listing.")]):
        response = act(boss, listing)
    assert "0 review scrapes queued, 0 already queued or running, 1 refused." in words(response)
    assert "No &lt;b&gt;such&lt;/b&gt; listing." in response.content.decode()


def test_a_selection_that_costs_much_is_asked_about_first(boss: Client, listing: CompetitorAmazonUrl) -> None:
    dear = Estimate(Decimal("11"), Decimal("14"), 600)
    with patch.object(tab, "estimate", return_value=dear):
        asked = act(boss, listing)
        text = asked.content.decode()
        assert "≈ $11.00 in all, never more than $14.00" in text
        assert f"<li><bdi>Calming chews</bdi> ({listing})</li>" in text
        assert f'name="_selected_action" value="{listing.pk}"' in text
        assert not Run.objects.exists()
        act(boss, listing, confirmed="yes")
    assert Run.objects.count() == 1


def test_the_action_needs_its_permission(person: Any, listing: CompetitorAmazonUrl) -> None:
    user = person("clerk", "view_competitoramazonurl", "change_competitoramazonurl")
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user)
    assert "Scrape the selected" not in client.get(reverse(URLS)).content.decode()
    act(client, listing)
    assert not Run.objects.exists()


def test_the_address_is_read_as_on_the_page(boss: Client, competitor: Competitor) -> None:
    address = reverse("admin:competitors_competitoramazonurl_add")
    wrong = boss.post(address, {"competitor": str(competitor.pk), "amazon_url": "https://example.com/"})
    assert "not an Amazon address" in wrong.content.decode()
    boss.post(address, {"competitor": str(competitor.pk), "amazon_url": "https://www.amazon.com.au/dp/B09XK4T2LM"})
    listing = CompetitorAmazonUrl.objects.get()
    assert (listing.asin, listing.domain_code) == ("B09XK4T2LM", "com.au")
    twice = boss.post(address, {"competitor": str(competitor.pk), "amazon_url": "amazon.com.au B09XK4T2LM"})
    assert "already has B09XK4T2LM" in twice.content.decode()


def test_an_edit_keeps_competitor_and_reads_the_new_address(boss: Client, listing: CompetitorAmazonUrl) -> None:
    address = reverse("admin:competitors_competitoramazonurl_change", args=[listing.pk])
    boss.post(address, {"amazon_url": "https://www.amazon.de/dp/B000000002"})
    listing.refresh_from_db()
    assert (listing.asin, listing.domain_code) == ("B000000002", "de")


def test_a_listings_page_shows_the_id_that_a_schedule_asks_for(boss: Client, listing: CompetitorAmazonUrl) -> None:
    text = boss.get(reverse("admin:competitors_competitoramazonurl_change", args=[listing.pk])).content.decode()
    assert f'<div class="readonly">{listing.pk}</div>' in text


@pytest.mark.parametrize("model", ["competitor", "competitoramazonurl"])
def test_nothing_is_deleted_from_under_a_live_scrape(model: str, boss: Client, listing: CompetitorAmazonUrl) -> None:
    act(boss, listing)
    pk = listing.pk if model == "competitoramazonurl" else listing.competitor_id
    response = boss.post(reverse(f"admin:competitors_{model}_delete", args=[pk]), {"post": "yes"})
    assert f"run {Run.objects.get().pk}" in response.content.decode()
    assert CompetitorAmazonUrl.objects.filter(pk=listing.pk).exists()


def test_a_listing_at_rest_can_be_deleted(boss: Client, listing: CompetitorAmazonUrl) -> None:
    make_review(listing)
    boss.post(reverse("admin:competitors_competitoramazonurl_delete", args=[listing.pk]), {"post": "yes"})
    assert not CompetitorAmazonUrl.objects.exists()
    assert AmazonReview.objects.exists()


@pytest.mark.parametrize("words", ["müller", "MULLER", "Mu\u0308ller"])
def test_the_admins_search_ignores_case_and_accents(boss: Client, listing: CompetitorAmazonUrl, words: str) -> None:
    Competitor.objects.update(name="Müller")
    CompetitorAmazonUrl.objects.update(product_title="Knäckebrot")
    for model in ("competitor", "competitoramazonurl"):
        answer = boss.get(reverse(f"admin:competitors_{model}_changelist"), {"q": words})
        assert answer.context["cl"].result_count == 1, model


def test_a_costly_schedule_is_asked_about_first_here_too(boss: Client, listing: CompetitorAmazonUrl) -> None:
    address = reverse("admin:pipeline_job_add") + "?job_type=amazon_review_scrape"
    fields = {
        "brand": str(listing.competitor.brand_id),
        "schedule_type": "recurring",
        "cron_expression": "* * * * *",
        "max_retries": "3",
        "parameter_competitor_amazon_url_id": str(listing.pk),
        "parameter_include_keywords": "on",
        "parameter_include_helpful": "on",
    }
    assert "That is 43,800 runs and ≈ $40,734.00 a month. Not saved yet." in boss.post(address, fields).content.decode()
    assert not Job.objects.exists()
    assert boss.post(address, fields | {"sure": "on"}).status_code == 302
    job = Job.objects.get()
    change = reverse("admin:pipeline_job_change", args=[job.pk])
    assert boss.post(change, fields | {"name": "Often"}).status_code == 302, "its time is as it was"
    assert "Not saved yet." in boss.post(change, fields | {"cron_expression": "*/2 * * * *"}).content.decode()
