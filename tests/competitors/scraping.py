"""What tests of a scrape over real HTTP do again and again: attempts, until it is over, and what an operator reads."""

from datetime import timedelta

from django.utils import timezone

from pipeline.engine.workers.inline import work_one
from pipeline.models import Run, UpstreamRun
from pipeline.queries.explain import explain
from tests.processes import until


def upstream_runs(sandbox):
    return sandbox.state["runs_started"]


def work(run, *, age_intent=timedelta(0)):
    """One attempt, whatever it waits for."""
    if age_intent:
        for row in UpstreamRun.objects.filter(run=run):
            UpstreamRun.objects.filter(pk=row.pk).update(intent_at=row.intent_at - age_intent)
    Run.objects.filter(pk=run.pk, status__in=["pending", "waiting"]).update(due_at=timezone.now() - timedelta(seconds=1))
    return work_one()


def finish(run, seconds=60):
    """Attempts until the run is over."""

    def over():
        run.refresh_from_db()
        return not run.is_live or (work(run) and False)

    until(over, f"the end of run {run.pk}: {run.error_message}", seconds)
    run.refresh_from_db()
    return run


def words(run):
    run.refresh_from_db()
    return " ".join(
        [run.error_message, run.blocked_reason, explain(run, timezone.now()), *run.logs.values_list("message", flat=True)]
    )
