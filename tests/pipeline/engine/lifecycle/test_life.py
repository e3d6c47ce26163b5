"""Whatever two workers, a person and the clock do in any order, a run's invariants hold."""

import contextlib
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline import api
from pipeline.contract.errors import LeaseLost, NotAllowed
from pipeline.contract.job_type import Done
from pipeline.engine.lifecycle import by_death, by_worker
from pipeline.engine.lifecycle.lease import renew
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Attempt, Brand, DatasetStatus, Job, Pause, Run, Step
from pipeline.states import LIVE, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = st.sampled_from([0, 1])
NAMES = st.sampled_from(["owl", "fox"])


def data_state(run):
    """What the data of a run without an upstream must say."""
    if run.status == RunStatus.COMPLETED and run.verdict != "ok":
        return "unknown"
    same = {RunStatus.COMPLETED: "completed", RunStatus.FAILED: "failed", RunStatus.RUNNING: "running"}
    return same.get(run.status, "unknown" if run.status == RunStatus.CANCELLED else "waiting")


class Life(RuleBasedStateMachine):
    """Lost leases are kept and used, as by a worker that was stopped for a while: they must change nothing."""

    @initialize()
    def begin(self):
        for model in (Pause, Step, Attempt, DatasetStatus, Run, Job):
            model.objects.all().delete()
        self.brand, _ = Brand.objects.get_or_create(slug="acme", defaults={"name": "Acme"})
        self.workers = [register_worker(), register_worker()]
        self.leases = []
        self.ended = {}

    def is_valid(self, lease):
        return Run.objects.filter(pk=lease.run_id, lease_token=lease.token).exists()

    def transition(self, worker, do):
        """Use the newest lease of this worker. Only if it is still in the run's row may it change anything."""
        for mine, lease in list(self.leases):
            if mine != worker:
                continue
            valid, before = self.is_valid(lease), Run.objects.values().get(pk=lease.run_id)
            try:
                do(lease)
                assert valid, "a lost lease changed the run"
            except LeaseLost:
                assert not valid
                assert Run.objects.values().get(pk=lease.run_id) == before
            return

    @rule(name=NAMES)
    def click(self, name):
        live = Run.objects.live().filter(subject=name, dedupe_key__isnull=False).first()
        queued = api.queue_one_time_job(self.brand.pk, "toy", {"name": name})
        assert queued.created == (live is None)
        assert live is None or queued.run == live

    @rule(worker=WORKERS)
    def claim(self, worker):
        paused = Pause.objects.exists()
        new = Run.objects.filter(status=RunStatus.PENDING, cancel_requested_at=None).exclude(priority=Run.WOKEN)
        begun = set(Run.objects.exclude(pk__in=new).values_list("pk", flat=True))
        claimed = claim(self.workers[worker])
        if claimed:
            run, lease = claimed
            assert run.pk in begun or not (paused or run.job.status == "paused"), "a pause was ignored"
            self.leases.insert(0, (worker, lease))

    @rule(worker=WORKERS)
    def heartbeat(self, worker):
        self.transition(worker, lambda lease: renew(lease) or (_ for _ in ()).throw(LeaseLost()))

    @rule(worker=WORKERS, verdict=st.sampled_from(["ok", "partial"]))
    def complete(self, worker, verdict):
        self.transition(worker, lambda lease: by_worker.complete(lease, Done(verdict=verdict, reason="why")))

    @rule(worker=WORKERS, permanent=st.booleans())
    def fail(self, worker, permanent):
        self.transition(worker, lambda lease: by_worker.fail(lease, "broken", permanent=permanent))

    @rule(worker=WORKERS)
    def park(self, worker):
        self.transition(worker, lambda lease: by_worker.park(lease, timezone.now() + timedelta(hours=1), "waiting"))

    @rule(worker=WORKERS)
    def block(self, worker):
        self.transition(worker, lambda lease: by_worker.block(lease, "full", 60))

    @rule(worker=WORKERS)
    def hand_back(self, worker):
        self.transition(worker, by_worker.hand_back)

    @rule(worker=WORKERS)
    def finish_cancel(self, worker):
        self.transition(worker, lambda lease: by_worker.finish_cancel(lease, "stopped"))

    @precondition(lambda self: Run.objects.filter(status=RunStatus.RUNNING).exists())
    @rule()
    def every_lease_lapses(self):
        Run.objects.filter(status=RunStatus.RUNNING).update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    @rule(worker=WORKERS)
    def the_worker_dies(self, worker):
        by_death.lose_worker(self.workers[worker], 9)

    @rule()
    def time_passes(self):
        Run.objects.filter(status__in=[RunStatus.PENDING, RunStatus.WAITING]).update(due_at=timezone.now() - timedelta(seconds=1))

    @rule(job_type=st.sampled_from(["toy", ""]))
    def everything_of_a_type_is_paused_or_goes_on(self, job_type):
        if not Pause.objects.filter(job_type=job_type).delete()[0]:
            Pause.objects.create(job_type=job_type)

    @rule(data=st.data(), action=st.sampled_from(["pause", "resume"]))
    def a_job_is_paused_or_goes_on(self, data, action):
        found = list(Job.objects.filter(runs__status__in=LIVE).order_by("pk"))
        if found:
            with contextlib.suppress(NotAllowed):
                getattr(api, action)(data.draw(st.sampled_from(found)), None)

    @rule(data=st.data(), action=st.sampled_from(["cancel", "retry", "run_now", "accept"]))
    def a_person_acts(self, data, action):
        found = list(Run.objects.order_by("pk"))
        if found:
            run = data.draw(st.sampled_from(found))
            try:
                getattr(api, action)(run, None)
            except NotAllowed:
                return
            self.ended.pop(run.pk, None)  # only accept and retry change a run that has ended

    @invariant()
    def the_rows_make_sense(self):
        for run in Run.objects.all():
            open_attempts = run.attempts.filter(outcome="").count()
            assert open_attempts == (1 if run.status == RunStatus.RUNNING else 0), (
                f"{run.status} with {open_attempts} open attempts"
            )
            assert list(run.attempts.values_list("number", flat=True)) == list(range(1, run.attempts.count() + 1))
            assert list(run.logs.values_list("seq", flat=True)) == list(range(1, run.logs.count() + 1))
            assert run.recoveries <= by_death.MAX_RECOVERIES
            assert run.attempt <= run.job.max_retries + 1
            if run.status not in LIVE:
                known = self.ended.setdefault(run.pk, run.status)
                assert known == run.status, f"{known} turned into {run.status}"
        for name in ("owl", "fox"):
            assert Run.objects.live().filter(subject=name, dedupe_key__isnull=False).count() <= 1

    @invariant()
    def data_says_what_its_last_run_does(self):
        for status in DatasetStatus.objects.select_related("last_run"):
            assert status.last_status == data_state(status.last_run)
            assert bool(status.error_message) == (status.last_status not in ("running", "completed"))

    @invariant()
    def fresh_is_never_a_lie(self):
        for status in DatasetStatus.objects.exclude(last_success_at=None):
            good = Run.objects.filter(subject=status.subject, status=RunStatus.COMPLETED, verdict="ok")
            assert good.filter(completed_at=status.last_success_at).exists()


@pytest.mark.slow
def test_any_interleaving_keeps_the_invariants():
    """F8: what has ended never changes."""
    from hypothesis.stateful import run_state_machine_as_test

    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Life, settings=settings(max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=quiet)
    )
