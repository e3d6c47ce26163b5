"""The pipeline's health in a few lines, for people and monitors."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from pipeline import queries
from pipeline.models import Run, Worker
from pipeline.queries import Overview, QueueView, kept_back, missing_code
from pipeline.states import RunStatus
from pipeline.words import in_words
from pipeline.words.foreign import harmless

LATE = timedelta(seconds=60)  # a due run should start within this time
LATE_RUNS_CHECKED = 500  # if all of these have a reason to wait, the rest is assumed to have one too


class Command(BaseCommand):
    help = (
        "Health, queue length, oldest due run, data that needs refreshing, dead workers. Exit 1 when unhealthy: no worker, a run"
        " that is over a minute late without a reason or without its code, an upstream that is down or rejects us, or an upstream"
        " run that is still going, or may be, although our run has ended."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        seen = queries.overview()
        due = Run.objects.filter(status=RunStatus.PENDING, due_at__lte=now).select_related("job", "brand").order_by("due_at")
        around = QueueView(now)
        overdue = due.filter(due_at__lt=now - LATE)[:LATE_RUNS_CHECKED]
        late = next((run for run in overdue if not kept_back(run, around)), None) or self.without_code(now)
        first = due.first()
        dead = list(Worker.objects.filter(kind=Worker.Kind.WORKER).silent(now, within=timedelta(days=1)))
        oldest = (now - first.due_at).total_seconds() if first else 0.0
        problems = []
        if seen.no_worker:
            problems.append(seen.no_worker)
        if late:
            why = queries.run_row(late, around=around).explanation
            problems.append(f"Run {late.pk} has been due for {in_words(now - late.due_at)}. {why}")
        problems += seen.closed
        problems += [words for _, words in seen.orphans]
        if options["json"]:
            working = [{"host": one.host, "pid": one.pid, "run": run.pk if run else None} for one, run in self.at_work(now)]
            self.stdout.write(json.dumps(as_json(seen, problems, oldest, dead) | {"worker_processes": working}))
        else:
            self.tell(seen, problems, oldest if first else None, dead)
        if problems:
            raise SystemExit(1)

    def without_code(self, now: datetime) -> Run | None:
        """A run that is overdue, also one that waits upstream, and whose code no worker has."""
        overdue = Run.objects.filter(status__in=[RunStatus.PENDING, RunStatus.WAITING], due_at__lt=now - LATE)
        return next((run for run in overdue.order_by("due_at")[:LATE_RUNS_CHECKED] if missing_code(run, now)), None)

    def at_work(self, now: datetime) -> list[tuple[Worker, Run | None]]:
        """The living workers, each with the run that it works on now."""
        alive = list(Worker.objects.alive(now).filter(kind=Worker.Kind.WORKER))
        held = {run.worker_id: run for run in Run.objects.filter(status=RunStatus.RUNNING, worker__in=alive)}
        return [(worker, held.get(worker.pk)) for worker in alive]

    def tell(self, seen: Overview, problems: list[str], oldest: float | None, dead: list[Worker]) -> None:
        now = timezone.now()
        self.stdout.write("Healthy." if not problems else harmless("Unhealthy. " + " ".join(problems)))
        self.stdout.write(
            f"Workers: {seen.workers}. Runs: {seen.running} running, {seen.fetching} being fetched, {seen.queued}"
            f" queued, {seen.scheduled} scheduled for later."
            f" Oldest due: {'none' if oldest is None else f'{oldest:.0f} s ago'}."
        )
        for worker, run in self.at_work(now):
            self.stdout.write(f"  Worker {worker.pid} on {worker.host}: {f'at work on run {run.pk}' if run else 'idle'}")
        for row in seen.active:
            self.stdout.write(f"  Run {row.run.pk}, {row.badge.word}: {harmless(row.result)}")
        for stale in seen.stale:
            fresh = stale.freshness
            self.stdout.write(
                harmless(f"  {fresh.badge.word}: {stale.label} of {stale.subject or 'all'} ({stale.brand}). {fresh.sentence}")
            )
        for worker in dead:
            self.stdout.write(f"  Worker {worker} last reported {in_words(now - worker.last_seen_at)} ago")
        self.stdout.write(
            f"{seen.failed_count} failed in 24 h. Spent and reserved today: ${seen.spent_today:.2f} of ${seen.spend_limit:.2f}."
        )


def as_json(seen: Overview, problems: list[str], oldest: float, dead: list[Worker]) -> dict[str, Any]:
    return {
        "healthy": not problems,
        "problems": problems,
        "running": seen.running,
        "waiting": seen.fetching,  # for their paid run
        "queued": seen.queued,
        "scheduled": seen.scheduled,
        "oldest_due_seconds": round(oldest, 1),
        "closed_upstreams": seen.closed,
        "workers": seen.workers,
        "dead_workers": [str(one) for one in dead],
        "stale_datasets": seen.stale_count,
        "fresh_datasets": seen.fresh_count,
        "failed_24h": seen.failed_count,
        "spent_today_usd": str(seen.spent_today),
        "spend_limit_usd": str(seen.spend_limit),
    }
