"""What the database counts as fresh is what judging each subject says."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import states
from pipeline.contract.registry import all_types
from pipeline.models import DatasetStatus, MaxAge
from pipeline.queries.freshness import WORST_FIRST, datasets, judged
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
    make_listing(make_competitor(made[0], "Gone", archived_at=now))
    MaxAge.objects.create(brand=made[1], dataset_key="amazon_reviews", max_age=timedelta(days=1), at=now)
    chance = random.Random(7)
    for one in all_types():
        for brand_id, subject in one.subjects_of([*made, None]):
            for key in one.datasets:
                age = chance.choice(AGES)
                at = None if age is None else now - timedelta(days=age)
                where = {"brand_id": brand_id, "dataset_key": key, "subject": subject.key}
                DatasetStatus.objects.get_or_create(**where, defaults={"last_success_at": at})
    DatasetStatus.objects.create(brand=made[2], dataset_key="amazon_reviews", subject="gone", last_success_at=now - timedelta(99))
    return {None: None} | {brand.pk: brand for brand in made}


@pytest.mark.parametrize("most", [1, 5, 100])
def test_the_counts_and_the_oldest_are_those_of_judging_each_subject(brands, now, most):
    every = judged(brands, datasets().values(), now)
    found = Counter(one.badge for one in every)
    assert {states.FRESH, states.LATE, states.STALE, states.NEVER} <= set(found)
    counts = Counts(brands, now)
    assert counts.fresh() == (len(every) - found[states.FRESH], found[states.FRESH])
    rest = [one for one in every if one.badge is not states.FRESH]
    ranked = sorted(rest, key=lambda one: (WORST_FIRST.index(one.badge), one.known.at or now))
    assert [(one.badge, one.known.at) for one in counts.oldest(most)] == [(one.badge, one.known.at) for one in ranked[:most]]
