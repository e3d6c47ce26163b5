"""Outages of a source: several brands that had rows get none. The type's schedules are held, and one of them an hour tries again.

Seen in the rows, once a minute by one worker, so that no crash loses one. Nothing else changes: each empty result is still judged
for itself, and clicks go on.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from ...contract.registry import label_of
from ...contract.tally import rows_met
from ...models import Event, Job, Outage, Run, UpstreamRun
from ...models.runs import RunQuerySet
from ...states import JobStatus, RunStatus, Verdict
from ..database import CLAIM_LOCK, lock, wake_workers
from ..journal import warn_and_record
from ..lifecycle.by_person import bring_forward
from ..scheduling.place import follow_job, locked_with_run
from ..scheduling.ticks import reschedule

WITHIN = timedelta(hours=1)
BRANDS = 3
PROBE_PAUSE = timedelta(hours=1)


def watch_outages(at: datetime) -> None:
    """Notice outages that begin and end, hold their schedules, and let one try again when it is time."""
    for outage in Outage.objects.filter(ended_at=None):
        results = _results(outage.since).filter(job_type=outage.job_type)
        if any(rows_met(counts) for counts in results.values_list("counts", flat=True)):
            end_outage(outage, at)
        else:
            _hold(outage)
            _probe(outage, at)
    for job_type in _silent_types(at):
        _begin(job_type, at)


def end_outage(outage: Outage, at: datetime, by: Any = None) -> bool:
    """Resume the schedules that it held, each from its next time on. False if it is over already."""
    with transaction.atomic():
        lock(CLAIM_LOCK)
        if not Outage.objects.filter(pk=outage.pk, ended_at=None).update(ended_at=at, ended_by=by):
            return False
        for job in outage.jobs.filter(status=JobStatus.PAUSED):
            _set(locked_with_run(job), JobStatus.ACTIVE, None)
        outage.jobs.update(outage=None)
        why = f"{by} ended it" if by else "Rows came again"
        warn_and_record("outage_over", f"{label_of(outage.job_type)}: {why}, and its schedules go on.")
        wake_workers()
    return True


def _results(since: datetime) -> RunQuerySet:
    """Runs that ended since then with a result of their own, whatever it was judged to be."""
    fetched = UpstreamRun.objects.filter(status=UpstreamRun.Status.SUCCEEDED)
    return Run.objects.filter(status=RunStatus.COMPLETED, completed_at__gt=since, pk__in=fetched.values("run"))


def _silent_types(at: datetime) -> list[str]:
    """The types of which enough brands that had rows got none lately, and that have no outage yet."""
    ended = dict(Outage.objects.values_list("job_type").annotate(last=Max("ended_at")))
    known = set(Outage.objects.filter(ended_at=None).values_list("job_type", flat=True))
    brands: dict[str, set[UUID]] = defaultdict(set)
    for run in _results(at - WITHIN).exclude(job_type__in=known).exclude(brand=None):
        over = ended.get(run.job_type)
        told = bool(over and run.completed_at and run.completed_at <= over)
        if not rows_met(run.counts) and not told and run.brand_id and _had_rows(run):
            brands[run.job_type].add(run.brand_id)
    return [job_type for job_type, silent in brands.items() if len(silent) >= BRANDS]


def _had_rows(run: Run) -> bool:
    """Whether the subject's last accepted run before this one had any."""
    same = Run.objects.filter(job_type=run.job_type, brand=run.brand_id, subject=run.subject, about=run.about, pk__lt=run.pk)
    last = same.filter(status=RunStatus.COMPLETED, verdict=Verdict.OK).order_by("-pk").first()
    return bool(last and rows_met(last.counts))


def _begin(job_type: str, at: datetime) -> None:
    reason = (
        f"{label_of(job_type)}: {BRANDS} brands that had rows got none within an hour, so the source may be down."
        " Schedules wait. One of them tries again each hour; they go on when rows come."
    )
    try:
        with transaction.atomic():
            outage = Outage.objects.create(job_type=job_type, reason=reason, since=at, probe_at=at + PROBE_PAUSE)
            warn_and_record("outage", reason)
    except IntegrityError:  # another worker was first
        return
    _hold(outage)


def _hold(outage: Outage) -> None:
    """Pause each active schedule of the type, but not the one that tries again, nor one that a person resumed."""
    jobs = Job.objects.filter(job_type=outage.job_type, schedule_type=Job.Schedule.RECURRING, status=JobStatus.ACTIVE)
    trying = Run.objects.live().filter(pk=outage.probe_id or 0)
    resumed = Event.objects.filter(kind__in=["resume", "switch_on"], by__isnull=False, at__gte=outage.since)
    for job in jobs.exclude(runs__in=trying).exclude(events__in=resumed):
        with transaction.atomic():
            lock(CLAIM_LOCK)
            if Outage.objects.filter(pk=outage.pk, ended_at=None).exists():
                _set(locked_with_run(job), JobStatus.PAUSED, outage)


def _probe(outage: Outage, at: datetime) -> None:
    """Let the held schedule that is due first run now."""
    if outage.probe_at > at:
        return
    held = Run.objects.filter(job__outage=outage, job__status=JobStatus.PAUSED, status=RunStatus.PENDING)
    tick = held.filter(scheduled_for__isnull=False).order_by("due_at").first()
    with transaction.atomic():
        lock(CLAIM_LOCK)
        mine = Outage.objects.filter(pk=outage.pk, ended_at=None, probe_at=outage.probe_at)
        if not mine.update(probe_at=at + PROBE_PAUSE, probe=tick) or tick is None:
            return
        _set(locked_with_run(tick.job), JobStatus.ACTIVE, outage)
        bring_forward(tick, None)


def _set(job: Job, status: JobStatus, outage: Outage | None) -> None:
    """In the caller's transaction, under the claim's lock, with the job locked."""
    if job.status == status or job.status not in (JobStatus.ACTIVE, JobStatus.PAUSED):
        return
    Job.objects.filter(pk=job.pk).update(status=status, outage=outage)
    job.status = status
    follow_job(job)
    if status == JobStatus.PAUSED and outage:
        Event.objects.create(kind="switch_off", message=outage.reason, job=job)
    elif outage is None:
        reschedule(job)
