"""Keeps the ledger row of a paid start up to date with what the upstream shows."""

import contextlib
import hashlib
import json
from datetime import timedelta
from typing import Any

from ...contract.errors import RunError, UnknownStart
from ...contract.source import Order, Seen, Source, get_source
from ...models import Run, RunLog, UpstreamRun
from ...words import foreign
from ..database import now
from ..lifecycle.ends.ending import wake_joiners
from ..lifecycle.leased_run import LeasedRun
from . import health

Status = UpstreamRun.Status
GIVE_UP_AFTER = timedelta(hours=24)
DEADLINE_MARGIN = timedelta(minutes=5)
MAX_CLOCK_DIFFERENCE = timedelta(minutes=5)  # between our clock and the upstream's
NEW_RUN_GRACE = timedelta(seconds=60)  # for this long after its start, the upstream may not know the run yet


def fingerprint(order: Order) -> str:
    """What makes two starts the same: source, actor and input."""
    text = json.dumps([order.source, order.actor, order.input], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def adopt(leased: LeasedRun, source: Source, order: Order, upstream: UpstreamRun, seen: Seen, words: str) -> None:
    # A wrong time must not make its time limit pass at once, or never.
    at = min(max(seen.started_at or now(), upstream.intent_at - MAX_CLOCK_DIFFERENCE), now() + MAX_CLOCK_DIFFERENCE)
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
        at = now()
        UpstreamRun.objects.filter(pk=upstream.pk).update(status=status, message=message, finished_at=at)
        wake_joiners(at, pk=upstream.pk)


def observe(leased: LeasedRun, upstream: UpstreamRun) -> UpstreamRun:
    """Read the run upstream and update its row. Decides about a run that vanished or is past its deadline."""
    source = get_source(upstream.source)
    seen = source.read_run(upstream.upstream_id or "")
    health.note_success(source.name)
    at = now()
    state = upstream.status if upstream.ended else seen.state  # an end is final; only its cost and message may still change
    if state == "gone" and upstream.extra.get("by_hand"):
        with leased.fenced():  # a mistyped id must not count as a failed start: the real run may be running
            UpstreamRun.objects.filter(pk=upstream.pk).update(status=Status.UNKNOWN, upstream_id=None, extra={})
        raise UnknownStart(f"{source.label} has no run {upstream.upstream_id}. Enter the ID of the right run, or start again.")
    if state == "gone" and upstream.started_at and at - upstream.started_at < NEW_RUN_GRACE:
        state = "running"
    if state == "running" and at > upstream.deadline:
        leased.log(f"{source.label} run {upstream.upstream_id} is past its time limit. It is now asked to stop.", "warning")
        decided = at > upstream.deadline + DEADLINE_MARGIN
        with contextlib.suppress(RunError) if decided else contextlib.nullcontext():  # the upstream may never manage to stop it
            source.abort(upstream.upstream_id or "")
        if decided:
            state = "timed_out"
    fields = ledger_fields(upstream, seen, state)
    with leased.fenced():
        UpstreamRun.objects.filter(pk=upstream.pk).update(**fields)
        if state == "running":  # the watch shows progress of parked runs only, not in legacy or direct mode
            Run.objects.filter(pk=leased.run.pk).update(progress=progress_of(seen))
        if upstream.status == Status.RUNNING and fields["status"] != Status.RUNNING:
            message = f"{source.label}'s run {UpstreamRun.ENDED_WORDS[fields['status']]}. {seen.message}".strip()
            leased.write_log(message, "info" if fields["status"] == Status.SUCCEEDED else RunLog.Level.WARNING)
            if fields["status"] != Status.SUCCEEDED:
                wake_joiners(at, pk=upstream.pk)
    for name, value in fields.items():
        setattr(upstream, name, value)
    return upstream


def progress_of(seen: Seen) -> dict[str, Any]:
    """What a page shows of a run that is running upstream."""
    return {"done": seen.items, "total": None, "unit": "items", "note": foreign.message(seen.message, 200)}


def ledger_fields(upstream: UpstreamRun, seen: Seen, state: str) -> dict[str, Any]:
    """The row's new values after reading the run upstream."""
    fields: dict[str, Any] = {"status": state, "message": seen.message}
    if seen.state != "gone":  # it exists, so its id is confirmed
        fields["extra"] = {name: value for name, value in upstream.extra.items() if name != "by_hand"} | seen.extra
    if seen.cost_usd is not None:
        fields["cost_actual"] = seen.cost_usd
    if state != "running":
        fields["finished_at"] = seen.finished_at or upstream.finished_at or now()
        fields["capped"] = bool(seen.extra.get("capped")) or (seen.cost_usd is not None and seen.cost_usd >= upstream.cost_cap)
    return fields
