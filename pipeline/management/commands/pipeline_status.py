"""The pipeline's health in a few lines, for people and monitors."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from pipeline import queries
from pipeline.models import Run, Worker
from pipeline.people import brands_for
from pipeline.queries import Health, QueueView, kept_back, missing_code
from pipeline.states import RunStatus
from pipeline.words import in_words
from pipeline.words.foreign import harmless

FAILED_WITHIN = timedelta(hours=24)
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
        seen, closed = queries.health(), queries.closed_sources()
        due = Run.objects.filter(status=RunStatus.PENDING, due_at__lte=now).select_related("job", "brand").order_by("due_at")
        around = QueueView(now)
        overdue = due.filter(due_at__lt=now - LATE)[:LATE_RUNS_CHECKED]
        late = next((run for run in overdue if not kept_back(run, around)), None) or self.without_code(now)
        first = due.first()
        dead = list(Worker.objects.filter(kind=Worker.Kind.WORKER).silent(now, within=timedelta(days=1)))
        oldest = (now - first.due_at).total_seconds() if first else 0.0
        failed = Run.objects.filter(status=RunStatus.FAILED, completed_at__gt=now - FAILED_WITHIN).count()
        problems = list(filter(None, [queries.no_worker_since(now)]))
        if late:
            why = queries.run_row(late, around=around).explanation
            problems.append(f"Run {late.pk} has been due for {in_words(now - late.due_at)}. {why}")
        problems += [*closed, *(f"{need.title}. {need.text}" for need in queries.unknown_starts(brands_for(None)))]
        if options["json"]:
            figures = as_json(seen, problems, oldest, dead) | {"closed_upstreams": closed, "failed_24h": failed}
            self.stdout.write(json.dumps(figures))
        else:
            self.tell(seen, problems, oldest if first else None, dead)
            money = seen.money
            self.stdout.write(f"{failed} failed in 24 h. Spent and reserved today: ${money.today:.2f} of ${money.limit:.2f}.")
        if problems:
            raise SystemExit(1)

    def without_code(self, now: datetime) -> Run | None:
        """A run that is overdue, also one that waits upstream, and whose code no worker has."""
        overdue = Run.objects.filter(status__in=[RunStatus.PENDING, RunStatus.WAITING], due_at__lt=now - LATE)
        return next((run for run in overdue.order_by("due_at")[:LATE_RUNS_CHECKED] if missing_code(run, now)), None)

    def tell(self, seen: Health, problems: list[str], oldest: float | None, dead: list[Worker]) -> None:
        now = timezone.now()
        self.stdout.write("Healthy." if not problems else harmless("Unhealthy. " + " ".join(problems)))
        counts = seen.at_work.counts
        self.stdout.write(
            f"Workers: {len(seen.workers)}. Runs: {counts['running']} running, {counts['fetching']} being fetched,"
            f" {seen.at_work.queued} queued, {counts['later']} scheduled for later."
            f" Oldest due: {'none' if oldest is None else f'{oldest:.0f} s ago'}."
        )
        for one in seen.workers:
            doing = f"at work on run {one.run.pk}" if one.run else "idle"
            self.stdout.write(f"  Worker {one.worker.pid} on {one.worker.host}: {doing}")
        for row in queries.run_rows(run for run, _ in seen.under_way):
            self.stdout.write(f"  Run {row.run.pk}, {row.badge.word}: {harmless(row.result)}")
        for stale in seen.stale:
            fresh = stale.freshness
            self.stdout.write(
                harmless(f"  {fresh.badge.word}: {stale.label} of {stale.subject or 'all'} ({stale.brand}). {fresh.sentence}")
            )
        for worker in dead:
            self.stdout.write(f"  Worker {worker} last reported {in_words(now - worker.last_seen_at)} ago")


def as_json(seen: Health, problems: list[str], oldest: float, dead: list[Worker]) -> dict[str, Any]:
    counts = seen.at_work.counts
    return {
        "healthy": not problems,
        "problems": problems,
        "running": counts["running"],
        "waiting": counts["fetching"],  # for their paid run
        "queued": seen.at_work.queued,
        "scheduled": counts["later"],
        "oldest_due_seconds": round(oldest, 1),
        "workers": len(seen.workers),
        "worker_processes": [
            {"host": one.worker.host, "pid": one.worker.pid, "run": one.run.pk if one.run else None} for one in seen.workers
        ],
        "dead_workers": [str(one) for one in dead],
        "stale_datasets": seen.stale_count,
        "fresh_datasets": seen.fresh_count,
        "spent_today_usd": str(seen.money.today),
        "spend_limit_usd": str(seen.money.limit),
    }
