"""Runs that fail of the same thing are one incident; its runs are retried behind a test run."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.contract.errors import NotAllowed
from pipeline.contract.job_type import Done
from pipeline.engine.lifecycle import by_worker
from pipeline.engine.queue.asked import canaries, one_run
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import FailedRun, Incident, Run
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ["owl", "fox", "bee"]


@pytest.fixture
def brand():
    return make_brand("Acme")


def failed(brand, name, words="There is no such toy.", kind="PermanentError"):
    """A new run of that toy has failed."""
    run = api.queue_one_time_job(brand.pk, "toy", {"name": name}).run
    return end(run, words, kind)


def end(run, words="", kind="PermanentError", verdict="ok"):
    """A worker ends the run, which is the next one that is due: with these words of failure, else completed."""
    claimed, lease = claim(register_worker())
    assert claimed.pk == run.pk
    if words:
        by_worker.fail(lease, words, permanent=True, kind=kind)
    else:
        by_worker.complete(lease, Done({"new": 1}, records=1, verdict=verdict))
    run.refresh_from_db()
    return run


def incident_of(run):
    return Incident.objects.get(failed_runs__run=run)


def queued():
    return set(Run.objects.live().values_list("pk", flat=True))


def test_the_same_cause_is_one_incident_and_another_cause_is_another(brand):
    runs = [failed(brand, name, f"The shop refused toy {name} (12{n} tries). Wait {n} h.") for n, name in enumerate(NAMES)]
    again = failed(brand, "owl", "The shop refused toy owl (7 tries). Wait 9 h.")
    other_words, other_kind = failed(brand, "cat", "There is no such toy."), failed(brand, "ant", "There is no such toy.", "Bug")
    rejected = [failed(brand, name, words, "CredentialRejected") for name, words in (("elk", "Bad token."), ("gnu", "Expired."))]
    one = incident_of(runs[0])
    assert {incident_of(run).pk for run in [*runs, again]} == {one.pk}
    assert (one.count, one.state, one.first_seen < one.last_seen) == (4, "open", True)
    assert "owl (7 tries)" in one.message, "the last words are told"
    assert incident_of(rejected[0]) == incident_of(rejected[1]), "whatever the words, the account has the trouble"
    assert len({incident_of(run).pk for run in (runs[0], other_words, other_kind, rejected[0])}) == 4
    open_of_owl = FailedRun.objects.filter(incident=one, subject="owl", over_at=None)
    assert [row.run_id for row in open_of_owl] == [again.pk], "the newest run stands for its subject"


def test_a_test_run_that_works_lets_the_others_follow_and_the_incident_closes_by_itself(brand):
    runs = [failed(brand, name) for name in NAMES]
    one = incident_of(runs[0])
    canary = api.retry_incident(one, None)
    assert queued() == {canary.pk}
    for _ in range(2):  # a double click is one test run
        with pytest.raises(NotAllowed, match="under way already"):
            api.retry_incident(one, None)
    canaries.advance()
    assert queued() == {canary.pk}, "the others are held until it has worked"
    late = failed_beside(brand, "cat", canary)
    end(canary)
    one.refresh_from_db()
    assert one.fixing == "passed"
    canaries.advance()
    assert queued() == {run.pk for run in [*runs, late]} - {canary.pk}
    one.refresh_from_db()
    assert (one.fixing, one.state) == ("followed", "open")
    canaries.advance()
    with pytest.raises(NotAllowed, match="at work already"):
        api.retry_incident(one, None)
    work_off()
    one.refresh_from_db()
    assert (one.state, one.resolved_by, one.failed_runs.filter(over_at=None).count()) == ("resolved", None, 0)
    new = failed(brand, "owl")
    assert incident_of(new) != one, "what fails again is a new incident"


def failed_beside(brand, name, waiting):
    """A run fails of the same while the test run has not begun."""
    Run.objects.filter(pk=waiting.pk).update(due_at=timezone.now() + timedelta(hours=1))
    run = failed(brand, name)
    Run.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    return run


@pytest.mark.parametrize("ends", ["fails", "fails of something else", "in doubt", "cancelled", "unseen", "deleted"])
def test_a_test_run_that_does_not_work_holds_the_others(brand, ends):
    runs = [failed(brand, name) for name in NAMES]
    one = incident_of(runs[0])
    canary = api.retry_incident(one, None)
    match ends:
        case "fails" | "fails of something else":
            end(canary, "There is no such toy." if ends == "fails" else "The shop burned down.")
        case "in doubt":
            end(canary, verdict="suspicious")
        case "cancelled":
            api.cancel(canary, None)
        case "unseen":  # its end could be written, but nothing beside it
            _, lease = claim(register_worker())
            by_worker.fail_alone(lease, "The end of this run could not be saved.", "")
        case "deleted":
            canary.delete()
    judged = Incident.objects.get(pk=one.pk).fixing
    assert judged == ("trying" if ends in ("unseen", "deleted") else "held"), "the end of the test run judges it"
    canaries.advance()
    canaries.advance()
    one.refresh_from_db()
    assert (one.fixing, one.state, queued()) == ("held", "open", set())
    assert one.count == (4 if ends == "fails" else 3)
    assert api.retry_incident(one, None), "it can be tried again"


def test_a_crash_between_two_of_the_others_loses_none_and_a_run_that_is_at_work_is_not_queued_twice(brand, monkeypatch):
    runs = [failed(brand, name) for name in NAMES]
    one = incident_of(runs[0])
    canary = api.retry_incident(one, None)
    end(canary)
    first, second = FailedRun.objects.filter(incident=one, held=True).order_by("failed_at")
    reopen = one_run.by_person.reopen

    def crashes(run, by):
        if run.pk == second.run_id:
            raise RuntimeError
        return reopen(run, by)

    with monkeypatch.context() as patched:
        patched.setattr(one_run.by_person, "reopen", crashes)
        with pytest.raises(RuntimeError):
            canaries.advance()
    assert queued() == {first.run_id}
    busy = api.queue_one_time_job(brand.pk, "toy", {"name": second.subject}).run
    canaries.advance()
    assert queued() == {first.run_id, busy.pk}
    work_off()
    one.refresh_from_db()
    assert one.state == "resolved"


def test_a_person_resolves_and_snoozes_and_a_schedules_run_is_retried_too(brand):
    person = None
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "owl", "ends": "permanent"})
    Run.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    run = work_one()
    one = incident_of(run)
    api.snooze_incident(one, timezone.now() + timedelta(hours=1), "The shop moves.", person)
    failed(brand, "fox")
    one.refresh_from_db()
    assert (one.state, one.count, one.note) == ("snoozed", 2, "The shop moves.")
    canaries.wake_snoozed(timezone.now())
    assert Incident.objects.get(pk=one.pk).state == "snoozed"
    canaries.wake_snoozed(timezone.now() + timedelta(hours=2))
    assert Incident.objects.get(pk=one.pk).state == "open", "what is still bad when its time comes is told again"
    FailedRun.objects.filter(subject="fox").update(over_at=timezone.now())
    assert api.retry_incident(one, person) == run
    assert job.runs.live().get() == run, "its next tick gives way to it"
    with pytest.raises(NotAllowed, match="test run is under way"):
        api.resolve_incident(one, "Fixed.", person)
    work_one()
    api.resolve_incident(one, "Fixed.", person)
    for act in (
        lambda: api.resolve_incident(one, "", person),
        lambda: api.retry_incident(one, person),
        lambda: api.snooze_incident(one, timezone.now() + timedelta(hours=1), "", person),
    ):
        with pytest.raises(NotAllowed, match=r"over already|no run that you can"):
            act()
    assert incident_of(failed(brand, "fox", "There is no such toy.")) != one
