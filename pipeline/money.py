"""Paid starts: never one without a committed intent, never a second while the first may have taken.

The order of things: commit the intent · send the request within PIPELINE_START_SECONDS of it, or never · checkpoint the id.
After a lost answer or a crash the upstream is asked first. "It does not have it" counts only PIPELINE_NONE_SECONDS after the
intent, since upstream lists lag. What stays open is unknown: asked again with backoff, and after a day left to a person.
"""

import contextlib
import hashlib
import json
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from . import upstream_health
from .contract.errors import (
    AmbiguousStart,
    BlockedError,
    Cancelled,
    PermanentError,
    RunError,
    SlowDown,
    SpendRefused,
    TransientError,
    UnknownStart,
)
from .contract.source import Order, Seen, Source, get_source
from .engine.database import MONEY_LOCK, lock, now
from .engine.lifecycle.leased_run import LeasedRun
from .models import Run, RunLog, UpstreamRun

Status = UpstreamRun.Status
LOOK_BACK = timedelta(minutes=5)  # our clock and the upstream's may differ
GIVE_UP = timedelta(hours=24)
DEADLINE_MARGIN = timedelta(minutes=5)
REPLICA_GRACE = timedelta(seconds=60)  # a run just started may not be known everywhere yet
SENT_AFTER_LIMIT = "The request was not sent in time, so it was not sent at all."


def fingerprint(order: Order) -> str:
    """What makes two starts the same: source, actor and input."""
    text = json.dumps([order.source, order.actor, order.input], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def ensure_started(leased: LeasedRun, order: Order, step: str) -> UpstreamRun:
    """The upstream run of this step: the one there is, an adopted one, or a newly paid one."""
    source = get_source(order.source)
    while True:
        last = UpstreamRun.objects.filter(run_id=leased.run.pk, step=step).order_by("-intent").first()
        if last and last.status in (Status.INTENT, Status.UNKNOWN):
            _find_out(leased, source, order, last)
        elif last and (last.status in (Status.RUNNING, Status.SUCCEEDED) or (last.ended and not last.read_complete)):
            return last  # under way, good, or dead with items that were paid for and are still to be landed
        elif leased.cancelling:
            raise Cancelled
        else:
            _start(leased, source, order, step, last)


def _start(leased: LeasedRun, source: Source, order: Order, step: str, last: UpstreamRun | None) -> None:
    """One intent and one request. Leaves the ledger row in a state that says what is known."""
    upstream = _intend(leased, order, step, last)
    leased.check()
    if leased.cancelling:  # since the intent: nothing has been sent, and nothing will be
        _close(leased, upstream, Status.VOID, "Cancelled before it was sent.")
        raise Cancelled
    # By the clock that stamped the intent: a host's own may be minutes off.
    if now() - upstream.intent_at >= timedelta(seconds=settings.PIPELINE_START_SECONDS):
        _close(leased, upstream, Status.VOID, SENT_AFTER_LIMIT)
        return
    try:
        seen = source.start(order, upstream.tag)
    except AmbiguousStart as error:
        with leased.fenced():
            UpstreamRun.objects.filter(pk=upstream.pk).update(message=str(error))
            leased.write_log(
                f"{source.label} gave no clear answer to the start ({error}) It is asked before anything is sent again.",
                "warning",
            )
        return
    except RunError as error:
        _close(leased, upstream, Status.REFUSED, str(error))
        raise
    _adopt(leased, source, order, upstream, seen, f"{source.label} accepted the run: {seen.id}.")


def _intend(leased: LeasedRun, order: Order, step: str, last: UpstreamRun | None) -> UpstreamRun:
    with leased.fenced():
        lock(MONEY_LOCK)
        upstream_health.check_room(get_source(order.source), order.memory_mb)
        _check_retry_spend(leased, step, order, last)
        spent_today = today()
        limit = settings.PIPELINE_DAILY_SPEND_LIMIT_USD
        if spent_today + order.estimate_usd > limit:
            raise BlockedError(
                f"Today's spend limit is reached: ${spent_today:.2f} of ${limit:.2f} are spent or promised, and this run needs"
                f" ≈ ${order.estimate_usd:.2f}. It goes on tomorrow, or when PIPELINE_DAILY_SPEND_LIMIT_USD is raised.",
                seconds=300,
                limited=False,
            )
        at = now()
        number = last.intent + 1 if last else 1
        upstream = UpstreamRun.objects.create(
            run_id=leased.run.pk,
            step=step,
            source=order.source,
            actor=order.actor,
            intent=number,
            tag=f"cp-{uuid.uuid4().hex[:20]}",
            fingerprint=fingerprint(order),
            intent_at=at,
            deadline=at + order.timeout + DEADLINE_MARGIN,
            cost_estimate=order.estimate_usd,
            price_per_item=order.price_per_item_usd,
            cost_cap=order.max_cost_usd,
            max_items=order.max_items,
            memory_mb=order.memory_mb,
        )
        leased.write_log(
            f"Estimate ${order.estimate_usd:.2f}, cap ${order.max_cost_usd:.2f}. Spent or promised today"
            f" ${spent_today:.2f} of ${limit:.2f}."
        )
        return upstream


def _check_retry_spend(leased: LeasedRun, step: str, order: Order, last: UpstreamRun | None) -> None:
    """After dead starts a new one goes by itself only while they cost little; beyond that a person has to ask for it."""
    dead = list(
        UpstreamRun.objects.filter(run_id=leased.run.pk, step=step, status__in=UpstreamRun.ENDED).exclude(status=Status.SUCCEEDED)
    )
    cost = sum((row.cost_actual if row.cost_actual is not None else row.cost_estimate for row in dead), Decimal(0))
    asked = leased.run.steps.filter(name=f"start again: {step}").values_list("result", flat=True).first() or 0
    if dead and cost >= settings.PIPELINE_RETRY_SPEND_USD and asked < max(row.intent for row in dead):
        raise SpendRefused(
            f"The starts so far came to nothing and cost ${cost:.2f}, so another is not paid for by itself. Start"
            f" again (≈ ${order.estimate_usd:.2f}) if you want it."
        )


def _find_out(leased: LeasedRun, source: Source, order: Order, upstream: UpstreamRun) -> None:
    """The start's answer was lost: ask the upstream what became of it. Adopts, voids, or waits."""
    age = now() - upstream.intent_at
    lag_is_over = age >= timedelta(seconds=settings.PIPELINE_NONE_SECONDS)
    found: list[Seen] | None = None
    try:
        found = candidates(source, order, upstream, by_input=lag_is_over)
    except (TransientError, BlockedError, PermanentError) as error:
        trouble = f"{source.label} cannot be asked: {error}"
        if isinstance(error, SlowDown):  # which is said to its whole account, whoever hears it
            upstream_health.slow_down(error.source, error.asked)
    else:
        trouble = f"{source.label} has {len(found or [])} runs that could be it."
    if found and len(found) == 1:
        _adopt(
            leased, source, order, upstream, found[0], f"Found the run that was started: {found[0].id}. It is not started again."
        )
    elif found == [] and lag_is_over:
        _close(leased, upstream, Status.VOID, upstream.message)
        leased.log(f"{source.label} does not have it: the start did not take, and nothing was paid.", "warning")
        if upstream.message:  # it was sent and failed; a crash before sending is nobody's failed try
            raise TransientError(f"{source.label} did not take the start. {upstream.message}")
    elif found == []:
        left = timedelta(seconds=settings.PIPELINE_NONE_SECONDS) - age
        leased.pause(
            min(left, timedelta(seconds=max(2.0, age.total_seconds() / 2))), f"asking {source.label} whether the start took"
        )
    else:
        if age > GIVE_UP:
            raise UnknownStart(
                f"{trouble} For a day nobody could say whether the start took. Adopt the right one, or start again."
            )
        with leased.fenced():
            UpstreamRun.objects.filter(pk=upstream.pk).update(status=Status.UNKNOWN)
        leased.pause(
            min(max(age / 4, timedelta(seconds=5)), timedelta(minutes=15)),
            f"{trouble} Asked again later; nothing is started meanwhile.",
        )


def candidates(source: Source, order: Order, upstream: UpstreamRun, *, by_input: bool) -> list[Seen]:
    """The upstream's runs that can be this start: the one that bears its tag; else the unowned ones with its input.

    By input only once the list no longer lags: until then ours may be missing from it, and an equal one be somebody else's.
    """
    possible = []
    for seen in source.candidates(order, upstream.intent_at - LOOK_BACK):
        if seen.tag == upstream.tag:
            return [seen]
        if not seen.tag:
            possible.append(seen)
    if not by_input:
        return []
    ids = [seen.id for seen in possible]
    owned = set(UpstreamRun.objects.filter(source=source.name, upstream_id__in=ids).values_list("upstream_id", flat=True))
    return [seen for seen in possible if seen.id not in owned and source.has_input(seen, order)]


def _adopt(leased: LeasedRun, source: Source, order: Order, upstream: UpstreamRun, seen: Seen, words: str) -> None:
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


def _close(leased: LeasedRun, upstream: UpstreamRun, status: str, message: str) -> None:
    with leased.fenced():
        UpstreamRun.objects.filter(pk=upstream.pk).update(status=status, message=message, finished_at=now())


def look(leased: LeasedRun, upstream: UpstreamRun) -> UpstreamRun:
    """Ask for the run's state and note it. A run that vanished, or outlives its deadline, is decided here."""
    source = get_source(upstream.source)
    seen = source.look(upstream.upstream_id or "")
    upstream_health.note_success(source.name)
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
    fields = record(upstream, seen, state)
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


def record(upstream: UpstreamRun, seen: Seen, state: str) -> dict[str, Any]:
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


def today(at: datetime | None = None) -> Decimal:
    """Spent or promised since midnight in the site's zone, USD: actuals where settled, else the larger of estimate and actual."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = UpstreamRun.objects.filter(intent_at__gte=midnight).exclude(status__in=[Status.REFUSED, Status.VOID])
    settled = rows.filter(cost_settled=True).aggregate(sum=Sum("cost_actual"))["sum"] or Decimal(0)
    open_rows = rows.filter(cost_settled=False).values_list("cost_estimate", "cost_actual")
    return settled + sum((max(estimate, actual or Decimal(0)) for estimate, actual in open_rows), Decimal(0))
