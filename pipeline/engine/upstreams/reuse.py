"""Uses what another run's paid start fetches, or has just fetched, instead of paying for the same data again.

A run decides under the money lock, in the transaction that would write its intent: of two runs that arrive together one pays.
It uses upstream runs only, never a run that itself uses another's, so there are no chains and no rings.
"""

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet, Sum

from ...contract.errors import BlockedError, PermanentError
from ...contract.job_type import JobType
from ...contract.registry import get_type
from ...contract.source import Order
from ...models import RawPage, Reuse, Run, UpstreamRun
from ...states import LIVE, RunStatus, Verdict
from ...words import days
from ..database import now
from ..lifecycle.leased_run import LeasedRun
from ..lifecycle.state import cost_so_far
from .ledger import Status

LOOK_AGAIN = timedelta(seconds=30)  # for the other run's end, should its wake-up be lost
PATIENCE = timedelta(hours=1)  # after the deadline of the upstream run that it waits for
NOTHING_FREE = "The data is no longer there to be used for free. Nothing was paid. Start a new scrape to pay for it."


def stored_key(job_type: str, reuse_key: str) -> str:
    """An order's reuse key as the ledger has it; '' stays ''."""
    return hashlib.sha256(f"{job_type}\0{reuse_key}".encode(errors="surrogatepass")).hexdigest() if reuse_key else ""


def finished(keys: list[str]) -> QuerySet[UpstreamRun]:
    """The paid starts with these stored keys whose data is complete and counts as good, newest first."""
    done = UpstreamRun.objects.filter(reuse_key__in=keys, status=Status.SUCCEEDED, read_complete=True, capped=False)
    done = done.filter(finished_at__isnull=False, run__status=RunStatus.COMPLETED, run__verdict=Verdict.OK)
    return done.select_related("run").order_by("-finished_at")


def find(run: Run, order: Order) -> UpstreamRun | None:
    """What the run can use instead of paying: first what is being fetched, then what it may use of what was fetched."""
    if not order.reuse_key:
        return None
    handler, key, at = get_type(run.job_type), stored_key(run.job_type, order.reuse_key), now()
    live = UpstreamRun.objects.filter(reuse_key=key, run__status__in=LIVE, run__cancel_requested_at=None).select_related("run")
    found = [one for one in live.order_by("intent_at") if _under_way(one, at)]
    found += finished([key]).filter(finished_at__gt=_oldest(run, handler, at))
    suits = (one for one in found if (one.source, one.actor) == (order.source, order.actor) and one.run_id != run.pk)
    return next((one for one in suits if handler.contains(one.run.parameters, run.parameters) and _pages_are_there(one)), None)


def join(leased: LeasedRun, upstream: UpstreamRun, step: str) -> None:
    """From now on the run uses the other run's start. In the transaction that would have written its own intent."""
    Reuse.objects.create(run_id=leased.run.pk, step=step, upstream_run=upstream, joined_at=now())
    Run.objects.filter(pk=leased.run.pk).update(cost_actual=cost_so_far(leased.run))
    leased.record_version()  # older code would not know of it, and pay
    if not _is_good(upstream):
        leased.write_log(f"{_waits_for(leased.run, upstream)} It costs $0.")


def shared(leased: LeasedRun, order: Order, step: str) -> UpstreamRun | None:
    """The other run's start that this step uses, once its data is complete; until then the run waits. None: it has to pay.

    If that start brings nothing usable, the run leaves it and goes on with a start of its own.
    """
    while reuse := Reuse.objects.filter(run_id=leased.run.pk, step=step).select_related("upstream_run__run").first():
        upstream = reuse.upstream_run
        if upstream and (reuse.fetched_at or _is_good(upstream)):
            return _take(leased, reuse, upstream)
        if upstream and _under_way(upstream, now()):
            here = timedelta(seconds=settings.PIPELINE_POLL_SECONDS)
            leased.pause(here if leased.waits_here else LOOK_AGAIN, _waits_for(leased.run, upstream))
            leased.check_not_cancelled()
        else:
            _leave(leased, reuse, upstream)
    return None


def _take(leased: LeasedRun, reuse: Reuse, upstream: UpstreamRun) -> UpstreamRun:
    if reuse.fetched_at is None and upstream.finished_at:
        words = f"Uses {_whose(leased.run, upstream)} scrape, {days(now() - upstream.finished_at)} old, $0."
        with leased.fenced():
            Reuse.objects.filter(pk=reuse.pk).update(fetched_at=upstream.finished_at, words=words)
            leased.write_log(words)
            leased.progressed()
    return upstream


def _leave(leased: LeasedRun, reuse: Reuse, upstream: UpstreamRun | None) -> None:
    """The other run's start brought nothing usable. On a worker the run goes back into the queue, where pauses hold it."""
    words = f"{_why_not(leased.run, upstream)} This run now needs a scrape of its own."
    with leased.fenced():
        Reuse.objects.filter(pk=reuse.pk).delete()
        Run.objects.filter(pk=leased.run.pk).update(cost_actual=cost_so_far(leased.run))
        if leased.waits_here:
            leased.write_log(words, "warning")
    if leased.run.reuse == Run.Reuse.ONLY:
        raise PermanentError(f"{_why_not(leased.run, upstream)} {NOTHING_FREE}")
    if not leased.waits_here:
        raise BlockedError(words, seconds=0, limited=False)


def _oldest(run: Run, handler: JobType, at: datetime) -> datetime:
    """When data must have been fetched, at the earliest, for this run to use it."""
    oldest = at - handler.reuse_within
    if run.reuse == Run.Reuse.LIVE:  # what was fetched since somebody asked is as new as its own would be
        return max(oldest, run.asked_at or at)
    if run.scheduled_for:  # a schedule brings newer data each time, however often it runs
        before = {"job_id": run.job_id, "scheduled_for__lt": run.scheduled_for}
        ticks = Run.objects.filter(**before, status=RunStatus.COMPLETED)
        own = UpstreamRun.objects.of_runs(ticks).filter(status=Status.SUCCEEDED)
        last: datetime | None = own.order_by("-finished_at").values_list("finished_at", flat=True).first()
        return max(oldest, last) if last else oldest
    return oldest


def _under_way(upstream: UpstreamRun, at: datetime) -> bool:
    """Whether its data may still come: its run is live and reads it, and nothing went wrong with it."""
    hopeful = upstream.status in UpstreamRun.OPEN or (upstream.status == Status.SUCCEEDED and not upstream.capped)
    return upstream.run.is_live and hopeful and at < upstream.deadline + PATIENCE


def _is_good(upstream: UpstreamRun) -> bool:
    """Whether its data is complete, and its run found it good. A cancel that came too late does not spoil it."""
    complete = upstream.status == Status.SUCCEEDED and upstream.read_complete and not upstream.capped and upstream.finished_at
    good = upstream.run.verdict == Verdict.OK or upstream.run.status == RunStatus.CANCELLED
    return bool(complete and good and _pages_are_there(upstream))


def _pages_are_there(upstream: UpstreamRun) -> bool:
    if not upstream.read_complete:
        return True  # they are still being read
    kept = RawPage.objects.filter(upstream_run=upstream).aggregate(rows=Sum(F("next_offset") - F("offset")))["rows"]
    return (kept or 0) == upstream.read_offset


def _why_not(run: Run, upstream: UpstreamRun | None) -> str:
    if upstream is None:
        return "The scrape that this run waited for was deleted."
    scrape = f"{_whose(run, upstream)} scrape".capitalize()
    if upstream.run.cancel_requested_at:
        return f"{scrape} was cancelled."
    if upstream.run.is_live and upstream.status in (*UpstreamRun.OPEN, Status.SUCCEEDED) and not upstream.capped:
        return f"{scrape} takes too long."
    if upstream.run.status == RunStatus.COMPLETED or upstream.capped:
        return f"{scrape} may be incomplete."
    return f"{scrape} failed."


def _waits_for(run: Run, upstream: UpstreamRun) -> str:
    return f"Waiting for {_whose(run, upstream)} scrape of the same data."


def _whose(run: Run, upstream: UpstreamRun) -> str:
    """Names the other run within one brand only: who sees this run may not see the other brand's."""
    return f"run {upstream.run_id}'s" if upstream.run.brand_id == run.brand_id else "another run's"
