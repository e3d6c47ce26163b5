"""A pause says why and until when. After its end it stops nothing, and its end is an event."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from pipeline import api, queries
from pipeline.contract.errors import NotAllowed
from pipeline.engine.queue.claim import claimable
from pipeline.engine.queue.pauses import end_pauses
from pipeline.models import ConcurrencyLimit, Event, Pause
from pipeline.words import clock
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = {"all": {}, "type": {"job_type": "toy"}, "brand": {"brand": True}, "source": {"source": "toyland"}}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_pause_stops_the_claim_until_its_end_and_the_end_is_an_event(monkeypatch, scope):
    monkeypatch.setattr("tests.toy.job.Toy.source", "toyland")
    brand, manager = make_brand("Acme"), make_person("nadia", "manager")
    run = api.queue_one_time_job(brand.pk, "toy").run
    where = {name: brand if name == "brand" else value for name, value in SCOPES[scope].items()}
    until = timezone.now() + timedelta(hours=1)
    api.save_stop(Pause(**where, reason="New price list", until=until), manager)
    pause = Pause.objects.get()
    assert not claimable()
    for words in (queries.run_row(run).explanation, *queries.before_the_click("toy", brand.pk)[:1]):
        assert words.startswith("Paused by nadia since ")
        assert f" until {clock(until)}: " in words
        assert words.endswith(" New price list.")

    end_pauses(timezone.now())
    assert Pause.objects.exists()
    Pause.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert claimable()
    assert "Paused" not in queries.run_row(run).explanation
    end_pauses(timezone.now())
    end_pauses(timezone.now())
    assert not Pause.objects.exists()
    assert list(Event.objects.order_by("pk").values_list("kind", "message", "by__username"))[-2:] == [
        ("pause", f"Pause “{pause}” was set by nadia.", "nadia"),
        ("pause", Event.objects.latest("pk").message, None),
    ]
    assert Event.objects.latest("pk").message.endswith(", has ended.")


def test_a_pause_of_an_account_is_of_all_its_runs_and_what_is_of_all_brands_is_for_who_sees_all():
    with pytest.raises(IntegrityError), transaction.atomic():
        Pause.objects.create(source="toyland", job_type="toy")
    limited = make_person("ines", "manager", make_brand("Acme"))
    for refused in (
        lambda: api.save_stop(Pause(), limited),
        lambda: api.save_stop(ConcurrencyLimit(max_running=1), limited),
        lambda: api.remove_stop(ConcurrencyLimit.objects.create(max_running=1), limited),
        lambda: api.remove_stop(Pause.objects.create(), limited),
    ):
        with pytest.raises(NotAllowed, match="sees all of them"):
            refused()
    assert (Pause.objects.count(), ConcurrencyLimit.objects.count(), Event.objects.count()) == (1, 1, 0)
