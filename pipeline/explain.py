"""Why a pending or waiting run is not running, and when it will: one sentence, from the claim's own conditions."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.timesince import timesince

from . import claims
from .models import Pause, Run, UpstreamRun, Worker
from .registry import label_of
from .sources import get_source
from .states import JobStatus, RunStatus

SILENT = timedelta(seconds=60)  # a worker unheard of for longer is not counted on


def explain(run: Run, at: datetime, place: Callable[[Run], int] | None = None) -> str:
    """'' where the run is neither pending nor waiting."""
    if run.status == RunStatus.WAITING:
        return _waiting(run, at)
    if run.status != RunStatus.PENDING:
        return ""
    if run.due_at > at:
        return _not_due(run, at)
    if run.scheduled_for and run.job.status == JobStatus.PAUSED:
        return "Its schedule is paused."
    pause = next(
        (
            p
            for p in Pause.objects.select_related("by", "brand")
            if p.job_type in ("", run.job_type) and p.brand_id in (None, run.brand_id)
        ),
        None,
    )
    if pause:
        return f"Paused by {pause.by or 'the system'} since {_clock(pause.since)}: {pause}."
    for limit in claims.blocking(run.job_type, run.brand_id):
        return _limited(limit.job_type, limit.brand_id, limit.max_running or 0)
    silent = no_worker_since(at)
    if silent is not None:
        return silent
    number = place(run) if place else 0
    return (
        f"In line, number {number}. It starts when a worker is free."
        if number > 1
        else "Next in line. It starts when a worker is free."
    )


def no_worker_since(at: datetime) -> str | None:
    """The sentence for a stand-still: no worker has given a sign of life for a minute. None while one lives."""
    last = Worker.objects.filter(kind="worker").order_by("-last_seen_at").first()
    if last and last.stopped_at is None and at - last.last_seen_at < SILENT:
        return None
    if Worker.objects.filter(kind="worker", stopped_at=None, last_seen_at__gt=at - SILENT).exists():
        return None
    if last is None:
        return "No worker has ever reported. Runs wait until one starts (manage.py worker)."
    return f"No worker has reported for {timesince(last.last_seen_at, at, depth=1)}. Runs wait until one starts."


def _not_due(run: Run, at: datetime) -> str:
    left = in_words(run.due_at - at)
    if run.blocked_reason:
        return f"{run.blocked_reason} Looked at again in {left}."
    if run.attempt:
        return f"Try {run.attempt + 1} of {run.job.max_retries + 1}, next in {left}: {run.error_message}"
    return f"Due in {left}, at {_clock(run.due_at)}."


def _waiting(run: Run, at: datetime) -> str:
    upstream = UpstreamRun.objects.filter(run=run, status=UpstreamRun.Status.RUNNING).last()
    if upstream is None:
        left = in_words(max(run.due_at - at, timedelta(0)))
        return f"{(run.blocked_reason or 'waiting').capitalize()}, looked at again in {left}."
    began = upstream.started_at or upstream.intent_at
    words = f"At {get_source(upstream.source).label} for {in_words(at - began)}"
    return f"{words}: {upstream.message}" if upstream.message else f"{words}."


def _limited(job_type: str, brand_id: object, maximum: int) -> str:
    what = label_of(job_type) if job_type else "all runs"
    scope = Run.objects.filter(
        status=RunStatus.RUNNING, **({"job_type": job_type} if job_type else {}), **({"brand_id": brand_id} if brand_id else {})
    )
    if not maximum:
        return f"The limit for {what} is 0: nothing starts until it is raised."
    using = ", ".join(str(pk) for pk in scope.values_list("pk", flat=True)[:5])
    return f"{scope.count()} of {maximum} slots for {what} in use by runs {using}."


def in_words(duration: timedelta) -> str:
    """'9 min', '12 s', '2 h 5 min'."""
    seconds = max(int(duration.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60 % 60, seconds // 3600
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M}"
