"""The ledger row of a paid start, kept in step with what the upstream shows."""

import contextlib
from datetime import timedelta
from typing import Any

from ...contract.errors import RunError, UnknownStart
from ...contract.source import Order, Seen, Source, get_source
from ...models import Run, RunLog, UpstreamRun
from ..database import now
from ..lifecycle.leased_run import LeasedRun
from . import health

Status = UpstreamRun.Status
GIVE_UP_AFTER = timedelta(hours=24)
DEADLINE_MARGIN = timedelta(minutes=5)
REPLICA_GRACE = timedelta(seconds=60)  # a run just started may not be known everywhere yet


def adopt(leased: LeasedRun, source: Source, order: Order, upstream: UpstreamRun, seen: Seen, words: str) -> None:
    at = seen.started_at or now()
    with leased.fenced():
        UpstreamRun.objects.filter(pk=upstream.pk).update(
            upstream_id=seen.id,
            status=Status.RUNNING,
            started_at=at,
            extra=seen.extra,
            message="",
            deadline=at + order.timeout + DEADLINE_MARGIN,
        )
        leased.write_log(words)
        leased.progressed()


def close(leased: LeasedRun, upstream: UpstreamRun, status: str, message: str) -> None:
    with leased.fenced():
        UpstreamRun.objects.filter(pk=upstream.pk).update(status=status, message=message, finished_at=now())


def observe(leased: LeasedRun, upstream: UpstreamRun) -> UpstreamRun:
    """Ask for the run's state and note it. A run that vanished, or outlives its deadline, is decided here."""
    source = get_source(upstream.source)
    seen = source.look(upstream.upstream_id or "")
    health.note_success(source.name)
    at = now()
    state = upstream.status if upstream.ended else seen.state  # an end is final; only its figures still settle
    if state == "gone" and upstream.extra.get("by_hand"):
        with leased.fenced():  # a mistyped id must not count as a start that came to nothing: the real one may be at work
            UpstreamRun.objects.filter(pk=upstream.pk).update(status=Status.UNKNOWN, upstream_id=None, extra={})
        raise UnknownStart(
            f"{source.label} knows no run {upstream.upstream_id}, which was adopted by hand. Adopt the right one, or start again."
        )
    if state == "gone" and upstream.started_at and at - upstream.started_at < REPLICA_GRACE:
        state = "running"
    if state == "running" and at > upstream.deadline:
        leased.log(f"{source.label} run {upstream.upstream_id} outlived its time-out; asked for its end.", "warning")
        decided = at > upstream.deadline + DEADLINE_MARGIN
        with contextlib.suppress(RunError) if decided else contextlib.nullcontext():  # which it may never be able to do
            source.abort(upstream.upstream_id or "")
        if decided:
            state = "timed_out"
    fields = ledger_fields(upstream, seen, state)
    with leased.fenced():
        UpstreamRun.objects.filter(pk=upstream.pk).update(**fields)
        if state == "running":  # who waits here (legacy, direct) has no watch that would show how far it is
            Run.objects.filter(pk=leased.run.pk).update(progress=progress_of(seen))
        if upstream.status == Status.RUNNING and fields["status"] != Status.RUNNING:
            message = f"{source.label}: {Status(fields['status']).label.lower()}. {seen.message}".strip()
            leased.write_log(message, "info" if fields["status"] == Status.SUCCEEDED else RunLog.Level.WARNING)
    for name, value in fields.items():
        setattr(upstream, name, value)
    return upstream


def progress_of(seen: Seen) -> dict[str, Any]:
    """What a page shows of a run that works upstream."""
    return {"done": seen.items, "total": None, "unit": "items", "note": seen.message[:200]}


def ledger_fields(upstream: UpstreamRun, seen: Seen, state: str) -> dict[str, Any]:
    """The ledger's fields for what was seen."""
    fields: dict[str, Any] = {"status": state, "message": seen.message[:2000]}
    if seen.extra:  # which only a run has that there is: so much for a doubt about its id
        fields["extra"] = {name: value for name, value in upstream.extra.items() if name != "by_hand"} | seen.extra
    if seen.cost_usd is not None:
        fields["cost_actual"] = seen.cost_usd
    if state != "running":
        fields["finished_at"] = seen.finished_at or upstream.finished_at or now()
        fields["capped"] = bool(seen.extra.get("capped")) or (seen.cost_usd is not None and seen.cost_usd >= upstream.cost_cap)
    return fields
