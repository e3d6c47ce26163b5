"""What is archived stops, leaves the lists and loses nothing; and it comes back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from competitors.models import AmazonReview, Competitor, CompetitorAdLibrary, CompetitorAmazonUrl
from competitors.sandbox.server import Sandbox
from competitors.steps.subject_rows import live_runs
from pipeline import api, queries
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.engine.workers.inline import work_off
from pipeline.models import Brand, DatasetStatus, Event, Job, Run
from tests.competitors.addresses import of_competitor, of_listing, tab
from tests.factories import AD_PAGE, make_competitor, make_library, make_listing, make_review

pytestmark = pytest.mark.django_db
TYPE = "amazon_review_scrape"


def wanted(listing: CompetitorAmazonUrl) -> dict[str, Any]:
    return {"competitor_amazon_url_id": str(listing.pk)}


def archive_brand(manager: Client, listing: CompetitorAmazonUrl) -> Any:
    return manager.post(reverse("brand_archive", args=[listing.competitor.brand.slug]))


def archive_competitor(manager: Client, listing: CompetitorAmazonUrl) -> Any:
    return manager.post(of_competitor("competitor_archive", listing.competitor))


def restore(manager: Client, listing: CompetitorAmazonUrl) -> None:
    competitor = Competitor.objects.select_related("brand").get(pk=listing.competitor_id)
    if competitor.archived_at:
        manager.post(of_competitor("competitor_restore", competitor))
    if competitor.brand.archived_at:
        manager.post(reverse("brand_restore", args=[competitor.brand.slug]))


BOTH = pytest.mark.parametrize("archive", [archive_brand, archive_competitor])
Archive = Callable[[Client, CompetitorAmazonUrl], Any]


@BOTH
def test_its_schedules_end_its_queued_runs_are_cancelled_and_nothing_is_deleted(
    manager: Client, listing: CompetitorAmazonUrl, run: Run, archive: Archive
) -> None:
    brand = listing.competitor.brand
    job = api.ensure_recurring_job(brand.pk, TYPE, "0 3 * * *", wanted(listing))
    DatasetStatus.objects.create(brand=brand, dataset_key="amazon_reviews", subject=str(listing.pk))
    make_review(listing)
    assert archive(manager, listing).status_code == 303
    run.refresh_from_db()
    assert (run.status, Job.objects.get(pk=job.pk).status) == ("cancelled", "archived")
    assert not Run.objects.live().exists()
    kept = (Brand, Competitor, CompetitorAmazonUrl, AmazonReview, DatasetStatus)
    assert [model.objects.count() for model in kept] == [1] * 5
    assert Event.objects.filter(kind__startswith="archive_", by__username="manager").exists()


@BOTH
def test_a_run_in_progress_is_asked_to_end(manager: Client, listing: CompetitorAmazonUrl, run: Run, archive: Archive) -> None:
    Run.objects.filter(pk=run.pk).update(status="waiting")
    archive(manager, listing)
    run.refresh_from_db()
    assert run.cancel_requested_at is not None


@BOTH
def test_work_of_others_goes_on(
    manager: Client, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl, archive: Archive
) -> None:
    other = api.queue_one_time_job(foreign.competitor.brand_id, TYPE, wanted(foreign)).run
    job = api.ensure_recurring_job(foreign.competitor.brand_id, TYPE, "0 3 * * *", wanted(foreign))
    archive(manager, listing)
    other.refresh_from_db()
    assert (other.status, Job.objects.get(pk=job.pk).status) == ("pending", "active")


def test_other_competitors_of_the_brand_go_on(
    manager: Client, listing: CompetitorAmazonUrl, sibling: CompetitorAmazonUrl
) -> None:
    other = api.queue_one_time_job(sibling.competitor.brand_id, TYPE, wanted(sibling)).run
    archive_competitor(manager, listing)
    other.refresh_from_db()
    assert other.status == "pending"
    assert api.queue_one_time_job(sibling.competitor.brand_id, TYPE, wanted(sibling)).run == other


@BOTH
def test_nothing_starts_for_it_by_any_way_until_it_is_restored(
    manager: Client, listing: CompetitorAmazonUrl, run: Run, archive: Archive
) -> None:
    brand_id = listing.competitor.brand_id
    archive(manager, listing)
    run.refresh_from_db()
    ways: list[Callable[[], Any]] = [
        lambda: api.queue_one_time_job(brand_id, TYPE, wanted(listing)),
        lambda: api.ensure_recurring_job(brand_id, TYPE, "0 3 * * *", wanted(listing)),
        lambda: api.retry(run, None),
        lambda: api.run_again(run, None),
        lambda: api.start_again(run, None),
        lambda: api.job_run_now(run.job, None),
    ]
    for start in ways:
        with pytest.raises((InvalidRequest, NotAllowed), match="is archived. Restore it first."):
            start()
    several = api.queue_many(brand_id, TYPE, [wanted(listing)])
    whose = "Northpaw" if archive is archive_brand else "Barkwell"
    assert [str(one) for one in several] == [f"{whose} is archived. Restore it first."]
    assert not Run.objects.live().exists()
    restore(manager, listing)
    assert api.queue_one_time_job(brand_id, TYPE, wanted(listing)).created


@BOTH
def test_ads_of_what_is_archived_are_not_scraped_either(manager: Client, listing: CompetitorAmazonUrl, archive: Archive) -> None:
    library = make_library(listing.competitor)
    params = {"competitor_id": str(library.competitor_id), "ad_library_url": library.url}
    elsewhere = params | {"ad_library_url": library.url.replace("view_all_page_id=", "view_all_page_id=9")}
    brand_id = listing.competitor.brand_id
    runs = [api.queue_one_time_job(brand_id, "competitor_scrape", asked).run for asked in (params, elsewhere)]
    plan = api.ensure_recurring_job(brand_id, "competitor_scrape", "0 3 * * *", elsewhere)
    assert manager.get(of_competitor("competitor_archive", listing.competitor)).context["live"] == 2
    archive(manager, listing)
    assert {Run.objects.get(pk=run.pk).status for run in runs} == {"cancelled"}
    assert Job.objects.get(pk=plan.pk).status == "archived"
    for asked in (params, elsewhere):
        with pytest.raises(InvalidRequest, match="is archived. Restore it first."):
            api.queue_one_time_job(listing.competitor.brand_id, "competitor_scrape", asked)
    assert "Competitor Ads" not in [row.label for row in queries.health().stale]
    page = manager.get(of_competitor("ads", listing.competitor))
    assert (page.context["may_scrape"], page.context["banner"]) == (False, None)
    answer = manager.post(of_competitor("ads_add", listing.competitor), {"url": elsewhere["ad_library_url"]})
    assert answer.status_code == 422
    assert CompetitorAdLibrary.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Brand, Competitor])
def test_a_run_that_was_queued_at_the_same_moment_pays_for_nothing(sandbox: Sandbox, run: Run, model: Any) -> None:
    model.objects.update(archived_at=timezone.now())
    work_off()
    run.refresh_from_db()
    assert run.status == "failed"
    assert run.error_message.endswith("is archived. Restore it first.")
    assert sandbox.state["runs_started"] == 0


@BOTH
def test_its_page_says_so_and_offers_no_scrape(manager: Client, listing: CompetitorAmazonUrl, archive: Archive) -> None:
    archive(manager, listing)
    body = manager.get(tab(listing.competitor)).content.decode()
    assert "is archived. Restore it first." in body
    assert f'action="{of_listing("amazon_scrape", listing)}' not in body
    assert 'aria-label="Freshness"' not in body
    answer = manager.post(reverse("amazon_scrape", args=["northpaw", listing.competitor_id, listing.pk]), follow=True)
    assert "is archived. Restore it first." in answer.content.decode()
    assert not Run.objects.exists()


@BOTH
def test_it_needs_no_refreshing_while_it_is_archived(manager: Client, listing: CompetitorAmazonUrl, archive: Archive) -> None:
    def stale() -> list[str]:
        return [row.subject for row in queries.health().stale if row.label == "Amazon Reviews"]

    assert stale() == ["Calming chews (B09XK4T2LM)"]
    archive(manager, listing)
    assert stale() == []
    restore(manager, listing)
    assert stale() == ["Calming chews (B09XK4T2LM)"]


def test_an_archived_competitor_leaves_the_lists_and_their_counts_until_asked_for(
    manager: Client, listing: CompetitorAmazonUrl
) -> None:
    make_listing(make_competitor(listing.competitor.brand, "Pawsome"), asin="B0CQ7Z8M4T")
    archive_competitor(manager, listing)
    place = reverse("brand_competitors", args=["northpaw"])
    page = manager.get(place)
    assert [one.name for one in page.context["competitors"]["rows"]] == ["Pawsome"]
    assert "1 competitor watched." in page.content.decode()
    assert '<a href="?archived=1">Show 1 archived</a>' in page.content.decode()
    assert [one.name for one in manager.get(f"{place}?archived=1").context["competitors"]["rows"]] == ["Pawsome", "Barkwell"]
    (brand,) = manager.get(reverse("competitors")).context["brands"]["rows"]
    assert (brand.competitor_count, brand.listing_count) == (1, 1)


def test_an_archived_brand_leaves_the_list_and_takes_no_new_competitor(manager: Client, listing: CompetitorAmazonUrl) -> None:
    archive_brand(manager, listing)
    body = manager.get(reverse("competitors")).content.decode()
    assert "Every brand is archived." in body
    assert "Northpaw" in manager.get(reverse("competitors") + "?archived=1").content.decode()
    answer = manager.post(reverse("brand_competitors", args=["northpaw"]), {"name": "Pawsome"})
    assert answer.status_code == 403
    assert "Northpaw is archived." in answer.content.decode()
    assert Competitor.objects.count() == 1


@BOTH
def test_no_amazon_url_is_added_to_what_is_archived(manager: Client, listing: CompetitorAmazonUrl, archive: Archive) -> None:
    archive(manager, listing)
    answer = manager.post(of_competitor("amazon_add", listing.competitor), {"amazon_url": "B0CQ7Z8M4T"})
    assert answer.status_code == 422
    assert "is archived. Restore it first." in answer.content.decode()
    assert CompetitorAmazonUrl.objects.count() == 1


def test_the_page_before_says_what_will_stop(manager: Client, listing: CompetitorAmazonUrl, run: Run) -> None:
    api.ensure_recurring_job(listing.competitor.brand_id, TYPE, "0 3 * * *", wanted(listing))
    for address in (reverse("brand_archive", args=["northpaw"]), of_competitor("competitor_archive", listing.competitor)):
        body = manager.get(address).content.decode()
        assert "1 schedule will be archived. 1 run will be cancelled" in body
    assert Run.objects.live().count() == 2
    assert not Competitor.objects.exclude(archived_at=None).exists()


@BOTH
def test_a_second_click_changes_nothing_and_says_so(manager: Client, listing: CompetitorAmazonUrl, archive: Archive) -> None:
    archive(manager, listing)
    events = Event.objects.count()
    answer = archive(manager, listing)
    assert "is archived already." in manager.get(answer["Location"]).content.decode()
    assert Event.objects.count() == events


def test_the_name_of_an_archived_competitor_is_taken_and_the_form_says_why(manager: Client, listing: CompetitorAmazonUrl) -> None:
    archive_competitor(manager, listing)
    answer = manager.post(reverse("brand_competitors", args=["northpaw"]), {"name": "barkwell"})
    assert "already has a competitor called Barkwell. It is archived: restore it." in answer.content.decode()


def test_a_competitor_under_a_scrape_of_an_address_that_is_not_saved_is_not_deleted(
    manager: Client, listing: CompetitorAmazonUrl
) -> None:
    params = {"competitor_id": str(listing.competitor_id), "ad_library_url": AD_PAGE}
    run = api.queue_one_time_job(listing.competitor.brand_id, "competitor_scrape", params).run
    assert [(row, live) for row, live in live_runs([listing.competitor, listing])] == [(listing.competitor, run)]
    listing.competitor.delete()  # by a program
    run.refresh_from_db()
    assert run.status == "cancelled"
