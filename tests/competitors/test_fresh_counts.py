"""What the database counts as fresh is what judging each subject says."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from pipeline import api, states
from pipeline.contract.registry import all_types
from pipeline.models import DatasetStatus, MaxAge
from pipeline.queries.freshness import WORST_FIRST, datasets, judged, matrix, needing_attention
from pipeline.queries.freshness.counts import Counts
from tests.factories import make_brand, make_competitor, make_library, make_listing
from tests.performance_rows import make_account
from tests.reddit_rows import make_research

pytestmark = pytest.mark.django_db
AGES = (None, 0.5, 2, 5, 9, 16, 40)  # days; None: never fetched


@pytest.fixture
def now(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return timezone.now()


@pytest.fixture
def brands(now):
    """Of every type some subjects, one of an archived competitor, ages that a manager has set, and data of what is gone."""
    made = [make_brand(name) for name in ("Acme", "Bolt", "Crux")]
    for number, brand in enumerate(made):
        for name in ("Barkwell", "Zest"):
            competitor = make_competitor(brand, name)
            make_listing(competitor)
            make_library(competitor)
        make_account(brand, f"act_{number + 1}")
        make_research(brand)
    gone = make_listing(make_competitor(made[0], "Gone", archived_at=now))
    DatasetStatus.objects.create(brand=made[0], dataset_key="amazon_reviews", subject=str(gone.pk), last_success_at=now)
    other = CompetitorAmazonUrl.objects.filter(competitor__brand=made[0]).earliest("pk")  # a subject, but not of this data
    DatasetStatus.objects.create(brand=made[0], dataset_key="competitor_ads", subject=str(other.pk), last_success_at=now)
    MaxAge.objects.create(brand=made[1], dataset_key="amazon_reviews", max_age=timedelta(days=4), at=now)
    chance = random.Random(7)
    for one in all_types():
        for brand_id, subject in one.subjects_of([*made, None]):
            for key in one.datasets:
                age = chance.choice(AGES)
                at = None if age is None else now - timedelta(days=age)
                where = {"brand_id": brand_id, "dataset_key": key, "subject": subject.key}
                DatasetStatus.objects.get_or_create(**where, defaults={"last_success_at": at})
    DatasetStatus.objects.filter(brand=made[1], dataset_key="amazon_reviews").update(last_success_at=now - timedelta(days=5))
    DatasetStatus.objects.create(brand=made[2], dataset_key="amazon_reviews", subject="gone", last_success_at=now - timedelta(99))
    return {None: None} | {brand.pk: brand for brand in made}


@pytest.mark.parametrize("most", [1, 5, 100])
def test_the_counts_and_the_oldest_are_those_of_judging_each_subject(brands, now, most):
    every = judged(brands, datasets().values(), now)
    found = Counter(one.badge for one in every)
    assert {states.FRESH, states.LATE, states.STALE, states.NEVER} <= set(found)
    counts = Counts(brands, now)
    assert counts.fresh() == (len(every) - found[states.FRESH], found[states.FRESH])
    assert counts.stale() == Counter((one.brand_id, one.dataset.key) for one in every if one.badge is states.STALE)
    rest = [one for one in every if one.badge is not states.FRESH]
    ranked = sorted(rest, key=lambda one: (WORST_FIRST.index(one.badge), one.known.at or now))
    assert [(one.badge, one.known.at) for one in counts.oldest(most)] == [(one.badge, one.known.at) for one in ranked[:most]]


def test_the_counts_of_some_brands_leave_the_others_out(brands, now):
    brand = brands[next(pk for pk in brands if pk)]
    some = {brand.pk: brand}
    every = judged(some, datasets().values(), now)
    fresh = sum(one.badge is states.FRESH for one in every)
    assert Counts(some, now).fresh() == (len(every) - fresh, fresh)
    assert {one.brand_id for one in Counts(some, now).oldest(100)} == {brand.pk}


def test_the_brands_that_need_attention_are_those_whose_row_says_so(brands, now):
    """Each for another reason, and two for none: one is fresh, and nobody has fetched anything of the other."""
    DatasetStatus.objects.update(last_success_at=now, last_status="completed")
    made = {name: make_brand(name) for name in ("Late", "Failed", "Skipped", "Never", "Own age", "Archived")}
    for brand in made.values():
        listing = make_listing(make_competitor(brand), asin=f"B{len(brand.name):09}")
        if brand.name != "Never":
            about = {"brand": brand, "dataset_key": "amazon_reviews", "subject": str(listing.pk)}
            DatasetStatus.objects.create(**about, last_success_at=now, last_status="completed")
    of = lambda name: DatasetStatus.objects.filter(brand=made[name])  # noqa: E731
    of("Late").update(last_success_at=now - timedelta(days=99))
    of("Failed").update(last_status="failed")
    of("Own age").update(last_success_at=now - timedelta(hours=2))
    MaxAge.objects.create(brand=made["Own age"], dataset_key="amazon_reviews", max_age=timedelta(hours=1), at=now)
    of("Archived").update(last_status="failed")
    made["Archived"].competitors.update(archived_at=now)
    job = api.ensure_recurring_job(
        made["Skipped"].pk, "amazon_review_scrape", "0 4 * * *", {"competitor_amazon_url_id": str(of("Skipped").get().subject)}
    )
    job.runs.update(scheduled_for=now - timedelta(days=4), due_at=now - timedelta(days=4))
    columns, every = list(datasets().values()), brands | {brand.pk: brand for brand in made.values()}
    found = {made[name].pk for name in ("Late", "Failed", "Skipped", "Own age")}
    assert {row.brand.pk for row in matrix(every, columns) if row.attention} == found
    assert needing_attention(every, columns) == found
    assert needing_attention(every, [one for one in columns if one.key != "amazon_reviews"]) == set()
    assert needing_attention({pk: brand for pk, brand in every.items() if pk not in found}, columns) == set()
