"""Adding, editing and removing a listing."""

import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from competitors.models import AmazonReview, Competitor, CompetitorAmazonUrl
from pipeline import api
from pipeline.models import DatasetStatus, Run
from tests.competitors.addresses import of_competitor, of_listing
from tests.factories import make_listing, make_review

pytestmark = pytest.mark.django_db


def add(page: Client, competitor: Competitor, address: str) -> Any:
    return page.post(of_competitor("amazon_add", competitor), {"amazon_url": address})


def make_fresh(listing: CompetitorAmazonUrl) -> DatasetStatus:
    return DatasetStatus.objects.create(
        brand=listing.competitor.brand, dataset_key="amazon_reviews", subject=str(listing.pk), last_success_at=timezone.now()
    )


def scrape(listing: CompetitorAmazonUrl) -> Run:
    return api.queue_one_time_job(
        listing.competitor.brand_id, "amazon_review_scrape", {"competitor_amazon_url_id": str(listing.pk)}
    ).run


def test_an_address_becomes_a_listing(page: Client, competitor: Competitor) -> None:
    response = add(page, competitor, "amazon.com.au/Chews/dp/b09xk4t2lm/ref=x?th=1")
    listing = competitor.amazon_urls.get()
    assert (listing.asin, listing.domain_code) == ("B09XK4T2LM", "com.au")
    assert response.status_code == 303
    assert response["Location"].endswith("#listing-B09XK4T2LM-com-au")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "This field is required."),
        ("https://example.com/dp/B09XK4T2LM", "not an Amazon address"),
        ("https://www.amazon.com/gp/help", "names no product"),
        ("https://www.amazon.pl/dp/B09XK4T2LM", "amazon.pl cannot be scraped"),
        ("https://www.amazon.com/dp/B09XK4T2LM?" + "x" * 5000, "at most 5000 characters"),
    ],
)
def test_a_wrong_address_comes_back_with_what_was_typed(page: Client, competitor: Competitor, address: str, words: str) -> None:
    response = add(page, competitor, address)
    body = response.content.decode()
    assert response.status_code == 422
    assert words in body
    assert "<title>Error: " in body
    assert f'value="{address}"' in body or not address
    assert 'aria-invalid="true"' in body
    assert not competitor.amazon_urls.exists()


def test_a_competitor_tracks_an_asin_once_per_marketplace(page: Client, listing: CompetitorAmazonUrl) -> None:
    response = add(page, listing.competitor, "amazon.com/gp/product/B09XK4T2LM")
    assert response.status_code == 422
    assert "Barkwell already has B09XK4T2LM on amazon.com." in response.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_listing(listing.competitor)


def test_the_same_asin_on_two_marketplaces_is_two_listings_of_one_page(page: Client, listing: CompetitorAmazonUrl) -> None:
    response = add(page, listing.competitor, "https://www.amazon.co.uk/dp/B09XK4T2LM")
    assert response["Location"].endswith("#listing-B09XK4T2LM-co-uk")
    shown = page.get(response["Location"]).content.decode()
    ids = re.findall(r' id="([^"]+)"', shown)
    assert {"listing-B09XK4T2LM", "listing-B09XK4T2LM-co-uk"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_what_is_kept_of_pasted_text_is_the_products_address(page: Client, competitor: Competitor) -> None:
    pasted = "Look at this one: Calming Chews " + "for dogs " * 200 + "https://www.amazon.de/Chews/dp/B09XK4T2LM?th=1 (mobile)"
    assert add(page, competitor, pasted).status_code == 303
    assert competitor.amazon_urls.get().amazon_url == "https://www.amazon.de/dp/B09XK4T2LM"


def test_another_competitor_may_track_the_same_product(
    page: Client, competitor: Competitor, foreign: CompetitorAmazonUrl
) -> None:
    assert add(page, competitor, foreign.amazon_url).status_code == 303


def test_the_loser_of_a_race_is_told_so(page: Client, listing: CompetitorAmazonUrl, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        "competitors.jobs.amazon_review_scrape.views.forms.take_address",
        lambda row, _, text: setattr(row, "asin", listing.asin) or text,
    )
    response = add(page, listing.competitor, listing.amazon_url)
    assert response.status_code == 422
    assert "somebody added it just now" in response.content.decode()


def test_another_address_of_the_same_product_keeps_everything_else(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_fresh(listing)
    run = scrape(listing)
    page.post(of_listing("amazon_edit", listing), {"amazon_url": "https://amazon.com/gp/product/B09XK4T2LM"})
    listing.refresh_from_db()
    assert listing.amazon_url == "https://amazon.com/gp/product/B09XK4T2LM"
    assert DatasetStatus.objects.exists()
    assert run.is_live


def test_a_new_product_starts_as_never_scraped(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_fresh(listing)
    CompetitorAmazonUrl.objects.update(last_scraped_at=timezone.now(), total_reviews_scraped=9, scrape_cost_estimate=1)
    page.post(of_listing("amazon_edit", listing), {"amazon_url": "https://www.amazon.de/dp/B09XK4T2LM"})
    listing.refresh_from_db()
    assert listing.domain_code == "de"
    assert (listing.last_scraped_at, listing.total_reviews_scraped, listing.scrape_cost_estimate) == (None, 0, None)
    assert not DatasetStatus.objects.exists()


def test_the_product_cannot_change_under_a_live_scrape(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = scrape(listing)
    response = page.post(of_listing("amazon_edit", listing), {"amazon_url": "https://www.amazon.de/dp/B09XK4T2LM"})
    assert response.status_code == 422
    assert f"cannot be changed while run {run.pk} scrapes it" in response.content.decode()
    listing.refresh_from_db()
    assert listing.domain_code == "com"


def test_removing_asks_first_and_says_what_stays(
    page: Client, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl
) -> None:
    make_review(listing)
    body = page.get(of_listing("amazon_remove", listing)).content.decode()
    assert "1 review of B09XK4T2LM" in body
    assert "reviews are shared" in body
    assert "1 other listing here shows them" in body
    assert CompetitorAmazonUrl.objects.filter(pk=listing.pk).exists()


def test_removing_says_that_the_schedule_goes_too(page: Client, listing: CompetitorAmazonUrl) -> None:
    assert "schedule" not in page.get(of_listing("amazon_remove", listing)).content.decode()
    parameters = {"competitor_amazon_url_id": str(listing.pk)}
    brand = listing.competitor.brand_id
    job = api.ensure_recurring_job(brand, "amazon_review_scrape", "0 3 * * *", parameters, name="<b>Nightly")
    assert "schedule “<bdi>&lt;b&gt;Nightly</bdi>” is archived" in page.get(of_listing("amazon_remove", listing)).content.decode()
    response = page.post(of_listing("amazon_remove", listing), follow=True)
    assert "Its schedule “&lt;b&gt;Nightly” is archived." in response.content.decode()
    job.refresh_from_db()
    assert job.status == "archived"


def test_removing_takes_the_freshness_and_leaves_the_reviews(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_review(listing)
    make_fresh(listing)
    other = make_fresh(make_listing(listing.competitor, asin="B000000002"))
    response = page.post(of_listing("amazon_remove", listing))
    assert response.status_code == 303
    assert not CompetitorAmazonUrl.objects.filter(pk=listing.pk).exists()
    assert list(DatasetStatus.objects.all()) == [other]
    assert AmazonReview.objects.count() == 1


def test_a_listing_with_a_live_scrape_stays(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = scrape(listing)
    make_fresh(listing)
    response = page.post(of_listing("amazon_remove", listing))
    assert response.status_code == 409
    assert f"cannot be removed while run {run.pk} works on it" in response.content.decode()
    assert CompetitorAmazonUrl.objects.filter(pk=listing.pk).exists()
    assert DatasetStatus.objects.exists()


def test_a_competitor_takes_its_listings_freshness_along(listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl) -> None:
    make_fresh(listing)
    stays = make_fresh(foreign)
    listing.competitor.delete()
    assert list(DatasetStatus.objects.all()) == [stays]


def test_a_deleted_brand_takes_everything_along(listing: CompetitorAmazonUrl) -> None:
    make_fresh(listing)
    listing.competitor.brand.delete()
    assert not DatasetStatus.objects.exists()
