"""The demo's own decisions. That it works as a whole is seen by `make demo ONCE=1`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.utils import timezone

from competitors.management.commands.demo import Command
from competitors.models import AdAccount
from pipeline.models import Run
from tests.competitors import runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo():
    return Command(stdout=StringIO())


def test_a_second_demo_goes_on_from_the_first_ones_scrape(demo, listing):
    assert not demo.scraped_before(listing)
    run = runs.ended(runs.queued(listing))
    assert demo.scraped_before(listing)
    assert f"Run {run.pk} of an earlier demo" in demo.stdout.getvalue()


def test_the_brands_own_ads_are_downloaded_once(demo):
    listing, _ = demo.fill()
    brand = listing.competitor.brand
    for _ in range(2):
        demo.download(brand, "http://127.0.0.1:8000")
    run = Run.objects.get()
    assert (run.job_type, run.subject_label) == ("asset_download", "act_1234567890")
    runs.ended(run)
    AdAccount.objects.update(last_downloaded_at=timezone.now())
    demo.download(brand, "http://127.0.0.1:8000")
    assert Run.objects.count() == 1


def test_a_run_that_waits_for_tomorrows_money_is_not_waited_for(demo, listing):
    run = runs.put(runs.queued(listing), due_at=timezone.now() + timedelta(minutes=5), blocked_reason="The limit is reached.")
    assert not demo.follow(run, listing)
    assert f"Run {run.pk}: queued" in demo.stdout.getvalue()
