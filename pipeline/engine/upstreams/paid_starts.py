"""Paid starts: never one without a committed intent, never a second one while the first may have worked.

The order: commit the intent; send the request within PIPELINE_START_SECONDS, or never; store the id of the upstream run.
After a lost answer or a crash the upstream is asked first (lost_answers.py).
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from ...contract.errors import AmbiguousStart, Cancelled, PermanentError, RunError
from ...contract.source import Order, Source, get_source
from ...models import Run, UpstreamRun
from ..database import MONEY_LOCK, durable, lock, now
from ..lifecycle.leased_run import LeasedRun
from ..lifecycle.state import closed
from . import reuse
from .budget import check_daily_spend, check_retry_spend
from .ledger import DEADLINE_MARGIN, Status, adopt, close, fingerprint
from .lost_answers import SINCE, lost_since, resolve
from .room import check_room

NOT_SENT_IN_TIME = "The request could not be sent in time, so it was not sent."


def ensure_started(leased: LeasedRun, order: Order, step: str) -> UpstreamRun:
    """The upstream run of this step: the existing one, an adopted one, another run's, or a newly paid one."""
    source = get_source(order.source)
    while True:
        last = UpstreamRun.objects.filter(run_id=leased.run.pk, step=step).order_by("-intent").first()
        if last and last.status in UpstreamRun.UNCLEAR:
            resolve(leased, source, order, last)
        elif last and (last.status in (Status.RUNNING, Status.SUCCEEDED) or (last.ended and not last.read_complete)):
            return last  # running, succeeded, or failed with paid-for items that are not saved yet
        elif leased.cancelling:
            raise Cancelled
        elif other := reuse.shared(leased, order, step):
            return other
        elif since := lost_since(leased.run, last):
            _ask_about(since, leased, order, step, last)
        else:
            _start(leased, source, order, step, last)


def _start(leased: LeasedRun, source: Source, order: Order, step: str, last: UpstreamRun | None) -> None:
    """Commit one intent and send one request. Then the row's status says what is known of it. Or use another run's start."""
    upstream = _intend(leased, order, step, last)
    if upstream is None:
        return
    leased.check()
    if leased.cancelling:  # cancelled after the intent was written; nothing was sent
        close(leased, upstream, Status.VOID, "Cancelled before it was sent.")
        raise Cancelled
    # By the database's clock, which stamped the intent: a host's own may be minutes off.
    if now() - upstream.intent_at >= timedelta(seconds=settings.PIPELINE_START_SECONDS):
        close(leased, upstream, Status.VOID, NOT_SENT_IN_TIME)
        return
    try:
        seen = source.start(order, upstream.tag)
    except AmbiguousStart as error:
        with leased.fenced():
            UpstreamRun.objects.filter(pk=upstream.pk).update(message=str(error))
            leased.write_log(
                f"{source.label} gave no clear answer: {error} Nothing more is sent until it says whether the run started.",
                "warning",
            )
        return
    except RunError as error:
        close(leased, upstream, Status.REFUSED, str(error))
        raise
    adopt(leased, source, order, upstream, seen, f"{source.label} accepted the run: {seen.id}.")


def _ask_about(since: datetime, leased: LeasedRun, order: Order, step: str, last: UpstreamRun | None) -> None:
    """A row for a start that may have been sent after the backup. Nothing is sent: the upstream is asked for it."""
    with leased.fenced():
        _record(leased, order, step, last, status=Status.UNKNOWN, extra={SINCE: since.isoformat()})
        leased.write_log("The database was restored from a backup. Looking for what this run started since then.")


def _intend(leased: LeasedRun, order: Order, step: str, last: UpstreamRun | None) -> UpstreamRun | None:
    """The committed intent; None if another run's start is used instead."""
    with durable(), leased.fenced() as run:
        lock(MONEY_LOCK)
        if words := closed(run):  # archived after the api let it in
            raise PermanentError(words)
        if other := reuse.find(run, order):
            reuse.join(leased, other, step)
            return None
        if run.reuse == Run.Reuse.ONLY:
            raise PermanentError(reuse.NOTHING_FREE)
        check_room(get_source(order.source), order.memory_mb)
        check_retry_spend(leased, step)
        check_daily_spend(order)
        upstream = _record(leased, order, step, last)
        # Not what is spent today: who reads this log may not see the other brands.
        leased.write_log(f"Estimated cost ${order.estimate_usd:.2f}, at most ${order.max_cost_usd:.2f}.")
        return upstream


def _record(leased: LeasedRun, order: Order, step: str, last: UpstreamRun | None, **fields: Any) -> UpstreamRun:
    at = now()
    upstream = UpstreamRun.objects.create(
        run_id=leased.run.pk,
        step=step,
        source=order.source,
        actor=order.actor,
        intent=last.intent + 1 if last else 1,
        tag=f"cp-{uuid.uuid4().hex[:20]}",
        fingerprint=fingerprint(order),
        reuse_key=reuse.stored_key(leased.run.job_type, order.reuse_key),
        intent_at=at,
        deadline=at + order.timeout + DEADLINE_MARGIN,
        cost_estimate=order.estimate_usd,
        price_per_item=order.price_per_item_usd,
        cost_cap=order.max_cost_usd,
        max_items=order.max_items,
        memory_mb=order.memory_mb,
        **fields,
    )
    leased.record_version()  # older code would look for it by another order, and pay for a second one
    return upstream
