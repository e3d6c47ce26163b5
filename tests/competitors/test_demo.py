"""The demo's own decisions. That it works as a whole is seen by `make demo ONCE=1`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.utils import timezone

from competitors.management.commands.demo import Command
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


def test_the_other_pages_are_filled_once(demo):
    listing, _ = demo.fill()
    brand = listing.competitor.brand
    for _ in range(2):
        found = demo.fill_other_pages(brand, "http://127.0.0.1:8000")
    assert {run.job_type for run in found} == {
        "asset_download",
        "competitor_scrape",
        "meta_sync",
        "reddit_scrape",
        "template_scrape",
    }
    assert Run.objects.count() == 5
    for run in found:
        runs.ended(run)
    assert demo.fill_other_pages(brand, "http://127.0.0.1:8000") == []
    assert demo.wait_for_runs(list(Run.objects.all()))
    Run.objects.filter(pk=found[0].pk).update(verdict="suspicious")
    assert not demo.wait_for_runs(list(Run.objects.all()))


def test_a_run_that_waits_for_tomorrows_money_is_not_waited_for(demo, listing):
    run = runs.put(runs.queued(listing), due_at=timezone.now() + timedelta(minutes=5), blocked_reason="The limit is reached.")
    assert not demo.follow(run, listing)
    assert f"Run {run.pk}: queued" in demo.stdout.getvalue()
