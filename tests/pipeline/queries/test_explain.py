"""Why a run waits: the sentence names what the limit or pause is for."""

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.models import ConcurrencyLimit, Pause
from pipeline.queries.explain import explain
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("job_type", "of_brand", "words"),
    [("", False, "all runs"), ("", True, "all runs of Acme"), ("toy", False, "Toy"), ("toy", True, "Toy of Acme")],
)
def test_a_limit_and_a_pause_name_their_type_and_brand(job_type, of_brand, words):
    brand = make_brand("Acme")
    run = api.queue_one_time_job(brand.pk, "toy").run
    scope = {"job_type": job_type, "brand": brand if of_brand else None}
    limit = ConcurrencyLimit.objects.create(**scope, max_running=0)
    assert explain(run, timezone.now()) == f"The limit for {words} is 0: nothing starts until it is raised."
    limit.delete()
    Pause.objects.create(**scope)
    assert explain(run, timezone.now()).endswith(f": {words}.")
