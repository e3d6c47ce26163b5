"""Several brands that had rows get none: the source may be down, so schedules wait, and one of them an hour tries again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.contract import NotAllowed
from pipeline.engine.queue.outages import watch_outages
from pipeline.engine.workers.inline import work_one
from pipeline.models import Job, Outage, Run
from pipeline.queries.explain import explain
from pipeline.states import JobStatus
from tests.competitors import runs
from tests.competitors.scraping import finish
from tests.factories import make_brand, make_competitor, make_listing, make_person

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ["Northpaw", "Southpaw", "Eastpaw", "Westpaw"]


@pytest.fixture
def listings():
    """Of four brands, each with a schedule and an accepted scrape that brought rows."""
    found = [make_listing(make_competitor(make_brand(name), "Barkwell"), asin=f"B00000000{n}") for n, name in enumerate(NAMES)]
    for listing in found:
        scraped(listing, rows=42)
        api.ensure_recurring_job(listing.brand.pk, "amazon_review_scrape", "0 6 * * *", asked(listing))
    return found


def asked(listing):
    return {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}


def scraped(listing, *, rows=0):
    """A run of the listing that is over, with so many rows."""
    run = runs.ended(runs.queued(listing), counts={"new": rows} if rows else {})
    runs.paid(run, "1", "1")
    return runs.put(run, verdict="ok" if rows else "suspicious")


def silent(listings):
    for listing in listings:
        scraped(listing)
    watch_outages(timezone.now())


def held():
    return sorted(Job.objects.filter(status=JobStatus.PAUSED).values_list("brand__name", flat=True))


def let_try(hours=1):
    """As if that much time had passed; then what is due is worked on."""
    outage = Outage.objects.get(ended_at=None)
    watch_outages(outage.probe_at + timedelta(hours=hours - 1))
    return work_one()


def test_three_brands_without_rows_hold_the_schedules_of_the_type_and_nothing_else(listings):
    api.ensure_recurring_job(listings[0].brand.pk, "toy", "0 6 * * *", {"name": "bear"})
    silent(listings[:2])
    assert held() == []
    silent(listings[2:3])
    assert held() == sorted(NAMES)
    outage = Outage.objects.get()
    assert "the source may be down" in outage.reason
    tick = Run.objects.filter(job__outage=outage).first()
    assert outage.reason in explain(tick, timezone.now()), "the run says what it waits for"
    watch_outages(timezone.now())
    assert Outage.objects.count() == 1


def test_three_listings_of_one_brand_are_no_outage(listings):
    others = [make_listing(listings[0].competitor, asin=f"B00000001{n}") for n in range(3)]
    for other in others:
        scraped(other, rows=7)
    silent([listings[0], *others])
    assert not Outage.objects.exists()


def test_brands_that_never_had_rows_do_not_count(listings):
    new = make_listing(make_competitor(make_brand("Upperpaw"), "Barkwell"), asin="B000000019")
    silent([*listings[:2], new])
    assert not Outage.objects.exists()


def test_what_is_longer_ago_than_an_hour_does_not_count(listings):
    old = scraped(listings[0])
    runs.put(old, completed_at=timezone.now() - timedelta(minutes=61))
    silent(listings[1:3])
    assert not Outage.objects.exists()


def test_a_click_is_not_held(listings, sandbox):
    silent(listings[:3])
    run = finish(api.queue_one_time_job(listings[3].brand.pk, "amazon_review_scrape", asked(listings[3])).run)
    assert run.status == "completed"


def test_one_schedule_an_hour_tries_again_and_the_first_rows_let_all_go_on(listings, sandbox):
    silent(listings[:3])
    watch_outages(timezone.now())
    assert work_one() is None, "nothing tries before an hour has passed"
    sandbox.account.faults.arm("no_items")
    first = finish(let_try())
    assert (first.scheduled_for is not None, first.verdict, len(held())) == (True, "suspicious", 3)
    watch_outages(timezone.now())
    assert held() == sorted(NAMES), "it is held again"
    sandbox.account.faults.clear()
    second = finish(let_try())
    assert second.counts["new"] > 0
    watch_outages(timezone.now())
    assert held() == []
    ticks = Run.objects.live().filter(scheduled_for__gt=timezone.now())
    assert ticks.count() == len(NAMES), "each goes on at its next time"
    assert not Job.objects.filter(outage__isnull=False).exists()


def test_a_person_can_end_it_and_the_same_results_do_not_begin_it_again(listings):
    silent(listings[:3])
    outage = Outage.objects.get()
    api.end_outage(outage, make_person("manager", "manager"))
    assert held() == []
    watch_outages(timezone.now())
    assert Outage.objects.filter(ended_at=None).count() == 0
    with pytest.raises(NotAllowed, match="over already"):
        api.end_outage(outage, None)


@pytest.mark.parametrize(("role", "limited"), [("operator", False), ("manager", True)])
def test_only_who_may_change_pauses_of_all_brands_ends_it(listings, role, limited):
    silent(listings[:3])
    brands = [listings[0].brand] if limited else []
    with pytest.raises(NotAllowed):
        api.end_outage(Outage.objects.get(), make_person("somebody", role, *brands))
    assert len(held()) == len(NAMES)


def test_a_schedule_that_a_person_resumes_stays_so(listings):
    silent(listings[:3])
    api.resume(Job.objects.get(brand=listings[0].brand, status=JobStatus.PAUSED), make_person("manager", "manager"))
    watch_outages(timezone.now())
    assert held() == sorted(NAMES[1:])


def test_a_schedule_that_is_switched_off_meanwhile_stays_off(listings):
    silent(listings[:3])
    off = api.ensure_recurring_job(listings[0].brand.pk, "amazon_review_scrape", "0 6 * * *", asked(listings[0]), enabled=False)
    api.end_outage(Outage.objects.get(), None)
    assert held() == [NAMES[0]]
    assert off.brand == listings[0].brand
