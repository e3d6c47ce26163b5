"""What waits for a person, besides incidents: each with what to do. Of the reader's brands only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q

from ... import states
from ...contract.site.notices import notices_for
from ...contract.source import source_label
from ...engine.queue.outages import WITHIN
from ...engine.upstreams import budget, health
from ...models import DatasetStatus, Job, Outage, Run, UpstreamRun
from ...models.runs import RunQuerySet
from ...people import Brands, brands_for
from ...states import JobStatus, RunStatus, Verdict
from ...words import clock, counted

CHECKED_WITHIN = timedelta(days=30)
FETCHED_AGAIN = timedelta(days=1)  # so long after an outage, schedules have the time to fetch again what it left empty
NAMED = 5  # of one kind; the last one says how many more there are


@dataclass(frozen=True)
class Need:
    """`url` leads to where it is done, `action` is what the button there says. `outage`: of which the reader may end."""

    tone: str
    icon: str
    title: str
    text: str
    url: str = ""
    action: str = ""
    price: Decimal | None = None
    outage: Outage | None = None


def needs(user: Any, at: datetime, no_worker: str | None) -> list[Need]:
    """The worst first. What an app tells long before it is urgent, such as tokens that end in two weeks, is gray."""
    brands = brands_for(user)
    found = [*_no_worker(no_worker), *_notices(user), *unknown_starts(brands), *_to_check(brands, at), *_over_the_limit(brands)]
    return sorted(found, key=lambda need: need.tone != "red")  # a stable sort


def recovering(user: Any) -> list[Need]:
    """What goes on by itself: upstreams that are asked again, outages whose schedules are held."""
    closed = [
        Need("amber", "retry", words, "Queued runs continue by themselves and lose no retries.") for words in closed_sources()
    ]
    outages = Outage.objects.filter(ended_at=None).select_related("probe")
    return [*(_outage(one, user, brands_for(user)) for one in outages), *closed]


def _outage(outage: Outage, user: Any, brands: Brands) -> Need:
    empty = _of_outage(outage, Run.objects.filter(brands.q())).count()
    kept = f" {counted(empty, 'empty result')} changed nothing and need{'s' if empty == 1 else ''} nobody now." if empty else ""
    text = f"Since {clock(outage.since)}. Tried again at {clock(outage.probe_at)}.{kept}"
    url = outage.probe.get_absolute_url() if outage.probe and outage.probe.brand_id in brands else ""
    may_end = brands.every and user is not None and user.has_perm("pipeline.change_pause")
    return Need(
        "amber", "magnifier", outage.reason, text, url, "See the test run" if url else "", outage=outage if may_end else None
    )


def _of_outage(outage: Outage, runs: RunQuerySet) -> RunQuerySet:
    """The doubtful results that it stands for. Once it is over, only those that a schedule fetches again by itself."""
    found = runs.filter(job_type=outage.job_type, verdict=Verdict.SUSPICIOUS, completed_at__gt=outage.since - WITHIN)
    if outage.ended_at is None:
        return found
    return found.filter(
        completed_at__lte=outage.ended_at, job__schedule_type=Job.Schedule.RECURRING, job__status=JobStatus.ACTIVE
    )


def closed_sources() -> list[str]:
    """A sentence for each upstream that is down or rejects us."""
    return list(health.closed_sources().values())


def _no_worker(words: str | None) -> Iterator[Need]:
    if words:
        yield Need("red", "alert", words, "Start one: manage.py worker. Nothing that is queued is lost.")


def _notices(user: Any) -> Iterator[Need]:
    """What the apps have to tell."""
    for notice in notices_for(user) if user is not None else ():  # a command reads Health for nobody
        yield Need(notice.tone, "alert" if notice.tone == "red" else "clock", notice.title, notice.text)


def unknown_starts(brands: Brands) -> Iterator[Need]:
    """Paid starts of which nobody knows what they made, and ended runs that left something upstream."""
    unclear = UpstreamRun.objects.filter(brands.q("run__brand"), status__in=UpstreamRun.OPEN, run__status__in=states.TERMINAL)
    for one in unclear.select_related("run").order_by("pk"):
        label, run = source_label(one.source), one.run
        if one.status == UpstreamRun.Status.RUNNING:
            title = f"Run {run.pk} has ended, but its {label} run may still cost money"
            text = "Stop it there, or retry the run, which continues it."
        else:
            title = f"It is not known what run {run.pk} started at {label}"
            text = "Look there, then say which run it is, or pay for another start."
        yield Need("red", "alert", title, text, run.get_absolute_url(), "Decide", one.cost_estimate)


def doubted(brands: Brands, at: datetime) -> RunQuerySet:
    """Results that are in doubt, and still the last word on their data. Those of an outage are not told again one by one."""
    found = Run.objects.filter(
        brands.q(), verdict__in=[Verdict.PARTIAL, Verdict.SUSPICIOUS], completed_at__gt=at - CHECKED_WITHIN
    )
    for outage in Outage.objects.filter(Q(ended_at=None) | Q(ended_at__gt=at - FETCHED_AGAIN)):
        found = found.exclude(pk__in=_of_outage(outage, Run.objects.all()).values("pk"))
    last_word = DatasetStatus.objects.filter(last_run=OuterRef("pk"), last_status=DatasetStatus.Last.UNKNOWN)
    return found.filter(Exists(last_word))


def _to_check(brands: Brands, at: datetime) -> Iterator[Need]:
    every = doubted(brands, at)
    runs = list(every.select_related("brand").order_by("-completed_at")[: NAMED + 1])
    more = every.count() - NAMED if len(runs) > NAMED else 0
    for run in runs[:NAMED]:
        whose = ", ".join(filter(None, [run.brand.name if run.brand else "", run.subject_label]))
        title = f"Run {run.pk} may be incomplete{f': {whose}' if whose else ''}"
        yield Need("amber", "magnifier", title, run.summary, run.get_absolute_url(), "Look")
    if more:
        yield Need("amber", "magnifier", f"{counted(more, 'more result')} may be incomplete", "Look at these first.")


def _over_the_limit(brands: Brands) -> Iterator[Need]:
    pending = Run.objects.filter(brands.q(), status=RunStatus.PENDING, blocked_reason__startswith=budget.OVER_THE_LIMIT)
    estimates = list(pending.values_list("cost_estimate", flat=True))
    if estimates:
        title = f"{counted(len(estimates), 'run')} would exceed today's spend limit"
        text = "They continue after midnight, or when PIPELINE_DAILY_SPEND_LIMIT_USD is raised."
        yield Need("amber", "clock", title, text, price=sum((usd for usd in estimates if usd), Decimal(0)))
