"""Why a run waits: the sentence names what the limit or pause is for."""

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.models import ConcurrencyLimit, Pause, Run, Worker
from pipeline.queries.explain import explain
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("job_type", "of_brand", "words"),
    [
        ("", False, "all runs except exports and notifications"),
        ("", True, "all runs of Acme except exports and notifications"),
        ("toy", False, "Toy"),
        ("toy", True, "Toy of Acme"),
    ],
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


def test_a_run_that_was_claimed_since_it_was_read_is_not_told_of_a_long_queue():
    run = api.queue_one_time_job(make_brand().pk, "toy").run
    Worker.objects.create(host="box", pid=1, started_at=timezone.now(), last_seen_at=timezone.now())
    assert explain(run, timezone.now()).startswith("Next in the queue.")
    Run.objects.filter(pk=run.pk).update(status="cancelled", completed_at=timezone.now())
    assert explain(run, timezone.now()) == "In the queue. It starts when a worker is free."
