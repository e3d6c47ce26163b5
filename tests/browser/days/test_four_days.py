"""Four days of an operator. Each begins at Health and ends in the state that the person wanted, in a few clicks."""

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from competitors.models import AdAccount, AdDay, CompetitorAd, CompetitorAmazonUrl
from competitors.sandbox.endpoints.graph_access import EXPIRED_TOKEN
from pipeline import api
from pipeline.models import Brand, ConcurrencyLimit, DatasetStatus, FailedRun, Incident, Job, Outage, Run, UpstreamRun
from tests.factories import make_brand, make_competitor, make_library, make_listing

HEALTH = "/pipeline/"
NAMES = ["Northpaw", "Southpaw", "Eastpaw", "Westpaw"]
EVERY_DAY = "0 6 * * *"


def scrape(listing: CompetitorAmazonUrl) -> Run:
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    return api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run


def refreshed_ago(brand: Brand, dataset: str, subject: str, **ago: float) -> None:
    """As if this data were so old."""
    known = {"brand": brand, "dataset_key": dataset, "subject": subject}
    DatasetStatus.objects.update_or_create(**known, defaults={"last_success_at": timezone.now() - timedelta(**ago)})


def brand(name: str) -> Brand:
    """A brand of which nothing is out of date: each has a subject of the test job type."""
    made = make_brand(name)
    refreshed_ago(made, "toys", "", hours=2)
    return made


def says(person, words):
    expect(person.page.locator("#health-body .say")).to_contain_text(words)


def test_the_morning_round(person, engine, sandbox):
    """One listing is out of date, of another nothing came any more. A price and an *Accept* later, all is fresh."""
    competitor = make_competitor(brand("Northpaw"), "Barkwell")
    old, gone = make_listing(competitor), make_listing(competitor, asin="B0CQ7Z8M4T")
    engine.finish(scrape(old), scrape(gone))
    refreshed_ago(old.brand, "amazon_reviews", str(old.pk), days=20)
    sandbox.account.faults.arm("no_items", count=1)
    empty = scrape(gone)
    engine.finish(empty)

    person.open(HEALTH)
    says(person, "1 thing needs you. 1 of 3 need refreshing.")
    person.shows("1-health")
    person.link(re.compile(f"Look.*Run {empty.pk} may be incomplete"))
    expect(person.page.get_by_role("region", name="Check the result")).to_contain_text("Apify found no reviews")
    person.shows("1-look")
    person.button("Accept")
    person.link("Pipeline", exact=True)
    says(person, "1 of 3 need refreshing.")
    person.link("Refresh what is stale")
    person.shows("1-price")
    person.button("Queue 1 run, ≈ $")
    engine.finish(Run.objects.live().get())
    person.link("Pipeline", exact=True)
    says(person, "All fresh.")
    person.shows("1-fresh")
    expect(person.page.locator("#health-body")).to_contain_text("Nothing needs you.")
    assert person.clicks <= 6


def test_a_bad_token_of_three_brands(person, engine, sandbox, settings):
    """One incident. The token is set anew once, and one click lets one run through, then the others."""
    accounts = [AdAccount.objects.create(brand=brand(name), account_id=f"act_{n}") for n, name in enumerate(NAMES[:3], 71)]
    settings.META_ACCESS_TOKENS = {one.account_id: EXPIRED_TOKEN for one in accounts}
    for one in accounts:
        api.ensure_recurring_job(one.brand_id, "meta_sync", EVERY_DAY, {"days_back": 7, "parts": ["performance"]})
    engine.ticks()
    engine.work_off()

    person.open(HEALTH)
    row = person.page.locator(f"#incident-{Incident.objects.get().pk}")
    expect(row).to_contain_text("failed 3 times")
    for name in NAMES[:3]:
        expect(row).to_contain_text(name)
    person.shows("2-incident")
    settings.META_ACCESS_TOKENS = {}  # from now on the accounts use everybody's, which is good
    person.click(row.get_by_role("button", name="Retry all 3"))
    expect(row).to_contain_text("2 runs held")
    person.shows("2-test-run")
    assert FailedRun.objects.filter(held=True).count() == 2
    engine.work_off()
    assert AdDay.objects.values("ad_account").distinct().count() == 1, "one goes first"
    engine.keep_house()
    person.waits()
    expect(row).to_contain_text("2 at work")
    person.shows("2-others")
    engine.work_off()
    person.waits()
    expect(row).to_contain_text("Closed by itself: everything works again")
    expect(person.page.locator("#health-body")).to_contain_text("Nothing needs you.")
    assert AdDay.objects.values("ad_account").distinct().count() == 3
    assert Job.objects.filter(status="active").count() == 3, "each goes on at its next time"
    assert person.clicks <= 1


def test_a_stuck_upstream(person, engine, sandbox):
    """A run does not start. Its row says why, and beside it stands which run is in its way."""
    ConcurrencyLimit.objects.create(source="apify", max_running=1)
    competitor = make_competitor(brand("Northpaw"), "Barkwell")
    known, new = make_listing(competitor), make_listing(competitor, asin="B0CQ7Z8M4T")
    engine.finish(scrape(known))
    for rows in (Run.objects.all(), UpstreamRun.objects.all()):
        rows.update(started_at=timezone.now() - timedelta(minutes=4, seconds=10))  # it took 4 minutes
    sandbox.account.faults.arm("never_ends", count=1)
    stuck = scrape(known)
    engine.work_off()
    for rows in (Run.objects.filter(pk=stuck.pk), UpstreamRun.objects.filter(run=stuck)):
        rows.update(started_at=timezone.now() - timedelta(minutes=50))
    waits = scrape(new)
    engine.work_off()
    engine.keep_house()

    person.open(HEALTH)
    says(person, "1 being fetched, 1 waiting.")
    person.link(re.compile(r"^Active\b"))
    expect(person.page.locator(f"#live-{waits.pk}")).to_contain_text("Apify is full: its limit of 1 run at once is reached.")
    places = person.page.get_by_role("listitem").filter(has_text="Places at Apify")
    expect(places).to_contain_text(f"1 run waiting. Held by run {stuck.pk}.")
    expect(person.page.locator(f"#live-{stuck.pk}")).to_contain_text(re.compile(r"50 m \d\d s of usually 4 min"))
    person.shows("3-active")
    person.link(f"Cancel run {stuck.pk}")
    person.shows("3-cancel")
    expect(person.page.get_by_role("region", name="Cancel")).to_contain_text("Data that is paid for is saved before it ends.")
    person.button(f"Cancel run {stuck.pk}")
    engine.finish(stuck, waits)
    person.waits()
    expect(person.page.locator("#active-body")).to_contain_text("Nothing is running.")
    ended = dict(Run.objects.values_list("pk", "status"))
    assert (ended[stuck.pk], ended[waits.pk]) == ("cancelled", "completed")
    assert new.reviews().exists()
    assert {run["status"] for run in sandbox.state["runs"]} == {"SUCCEEDED", "ABORTED"}, "nothing costs money any more"
    assert person.clicks <= 3


def test_a_source_that_returns_nothing(person, engine, sandbox):
    """Three brands that had ads get none. The schedules wait, nothing is marked inactive, and two clicks later all goes on."""
    for name in NAMES:
        library = make_library(make_competitor(brand(name), "Barkwell"))
        asked = {"competitor_id": str(library.competitor_id), "ad_library_url": library.url, "max_media": 0}
        api.ensure_recurring_job(library.competitor.brand_id, "competitor_scrape", EVERY_DAY, asked)
    engine.finish(*engine.ticks())
    had = CompetitorAd.objects.count()
    assert had > 100
    sandbox.account.faults.arm("ads_not_found")
    *three, last = engine.ticks()
    Run.objects.filter(pk=last.pk).update(due_at=timezone.now() + timedelta(hours=1))
    engine.finish(*three)
    engine.keep_house()

    person.open(HEALTH)
    says(person, "Recovering on its own.")
    outage = person.page.get_by_role("listitem").filter(has_text="the source may be down")
    expect(outage).to_contain_text("3 empty results changed nothing and need nobody now.")
    expect(person.page.get_by_role("heading", name="Needs you")).to_have_count(0)
    person.shows("4-outage")
    assert Job.objects.filter(status="paused").count() == 4
    assert not engine.work_one(), "what is held asks for nothing"
    sandbox.account.faults.clear()
    Outage.objects.update(probe_at=timezone.now())
    engine.keep_house()
    person.waits()
    person.click(outage.get_by_role("link", name="See the test run"))
    engine.finish(*Run.objects.live().filter(due_at__lte=timezone.now()))
    engine.keep_house()
    person.link("Pipeline", exact=True)
    says(person, "All fresh.")
    expect(person.page.locator("#health-body")).to_contain_text("Nothing needs you.")
    person.shows("4-over")
    assert Job.objects.filter(status="active").count() == 4
    engine.finish(*engine.ticks())
    assert not DatasetStatus.objects.exclude(last_status="completed").filter(dataset_key="competitor_ads").exists()
    assert CompetitorAd.objects.exclude(status="active").count() == 0
    assert CompetitorAd.objects.count() == had
    assert person.clicks <= 2
