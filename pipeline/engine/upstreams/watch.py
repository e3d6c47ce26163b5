"""Asks each upstream account which runs have ended, once for all waiting runs. One worker at a time takes the turn.

It only makes those runs due; each then reads its own end. If this fails, runs continue later, but none is lost.
"""

import logging
from datetime import timedelta

from django.conf import settings

from ...contract.errors import RunError, SlowDown
from ...contract.source import Source, get_source, known_sources, source_label
from ...models import Run, SourceState, UpstreamRun
from ...states import RunStatus
from ..database import now
from ..lifecycle import by_queue
from . import health
from .ledger import ledger_fields, progress_of

logger = logging.getLogger(__name__)
FALLBACK_POLL = timedelta(minutes=2)  # a waiting run that was not woken asks for itself after this
FALLBACK_POLL_GAP = timedelta(seconds=0.5)  # between the fallback polls of an account's waiting runs
PROGRESS_READS = 2  # runs per poll whose progress is read: two more requests, however many runs wait


def fallback(source: str) -> timedelta:
    """How long a run waits before it asks for itself. Longer if many wait, so that their requests do not flood the upstream."""
    waiting = UpstreamRun.objects.filter(source=source, status=UpstreamRun.Status.RUNNING).count()
    return max(FALLBACK_POLL, FALLBACK_POLL_GAP * waiting)


def watch_upstreams() -> None:
    """Poll each account that has waiting runs and is due for a poll."""
    at = now()
    health.probe(at)
    waiting = UpstreamRun.objects.filter(status=UpstreamRun.Status.RUNNING, run__status=RunStatus.WAITING)
    due = SourceState.objects.filter(next_poll_at__lte=at).values_list("source", flat=True)
    for name in {source.name for source in known_sources()} & set(waiting.values_list("source", flat=True).distinct()):
        if name not in due:
            if not SourceState.objects.filter(source=name).exists():
                SourceState.objects.get_or_create(source=name, defaults={"next_poll_at": at})
            continue
        # The worker whose update succeeds has the turn.
        following = at + timedelta(seconds=settings.PIPELINE_POLL_SECONDS)
        mine = (
            SourceState.objects.filter(source=name, next_poll_at__lte=at)
            .exclude(slow_until__gt=at)
            .update(next_poll_at=following, polled_at=at)
        )
        if mine:
            try:
                ask_account(get_source(name))
            except SlowDown as error:
                health.slow_down(name, error.asked)
            except RunError as error:
                logger.info("%s could not be asked which runs ended: %s", source_label(name), error)
                SourceState.objects.filter(source=name).update(next_poll_at=at + health.ASK_AGAIN_AFTER)


def ask_account(source: Source) -> None:
    waiting = UpstreamRun.objects.filter(
        started_at__isnull=False,
        source=source.name,
        status=UpstreamRun.Status.RUNNING,
        run__status=RunStatus.WAITING,
        run__due_at__gt=now(),  # not those that are due already: they ask for themselves, or wait for a worker with their code
    )
    # Only ids: ten thousand runs may wait, and every poll reads them.
    rows = list(waiting.order_by("started_at").values_list("upstream_id", "run_id", "started_at"))
    oldest = rows[0][2] if rows else None
    if oldest is None:
        return
    ours = {upstream_id: run_id for upstream_id, run_id, _ in rows}
    ended = {upstream_id for upstream_id in source.ended_since(oldest - timedelta(minutes=1)) if upstream_id in ours}
    by_queue.wake(ours[upstream_id] for upstream_id in ended)
    still = [upstream_id for upstream_id in ours if upstream_id not in ended]
    turn = int(now().timestamp() // max(settings.PIPELINE_POLL_SECONDS, 0.001)) * PROGRESS_READS
    sample = [still[(turn + number) % len(still)] for number in range(min(PROGRESS_READS, len(still)))]
    for row in waiting.filter(upstream_id__in=sample):
        seen = source.read_run(row.upstream_id or "")
        UpstreamRun.objects.filter(pk=row.pk, status=UpstreamRun.Status.RUNNING).update(
            message=seen.message, cost_actual=ledger_fields(row, seen, "running").get("cost_actual", row.cost_actual)
        )
        Run.objects.filter(pk=row.run_id, status=RunStatus.WAITING).update(progress=progress_of(seen))
