"""What happened to one subject, newest first: its runs, and what people changed of its settings and schedules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from ....contract.job_type import JobType, Subject
from ....models import Brand, DatasetStatus, Event, Job, Run, ScheduleRule, UpstreamRun
from ....models.runs import RunQuerySet
from ...freshness import Dataset, FreshnessRow, datasets, freshness_row
from ...runs import RunRow, run_rows
from ...schedules.words import ScheduleRow, schedules

PAGE = 25
EARLIER = 10  # further runs in which the start before a page's oldest one is sought
RUN, EVENT = "run", "event"
LONGEST_NUMBER = 19  # digits of what no id can be


@dataclass(frozen=True)
class Moment:
    """A run, from its start or since it was queued; or an event. `changes`: what its scrape has other than the one before."""

    kind: str
    at: datetime
    pk: int
    row: RunRow | None = None
    event: Event | None = None
    changes: Sequence[str] = ()

    @property
    def place(self) -> str:
        """For the address: from where the next page is read."""
        return f"{self.at.isoformat()}~{self.kind}~{self.pk}"


@dataclass(frozen=True)
class SubjectHistory:
    """`types`: the job types that work for it, the one that was asked for first."""

    subject: Subject
    brand: Brand | None
    types: Sequence[JobType]
    fresh: Sequence[tuple[Dataset, FreshnessRow]]
    schedules: Sequence[tuple[JobType, ScheduleRow | None]]
    moments: Sequence[Moment]
    older: str  # '' on the last page


def subject_history(handler: JobType, brand: Brand | None, key: str, user: Any, *, before: str = "") -> SubjectHistory | None:
    """None where no such subject is known and nothing ever happened to it. As many queries however much happened."""
    every = datasets()
    shared = {one.name: one for name in handler.datasets for one in every[name].types} if key else {}
    types = [handler, *(one for one in shared.values() if one is not handler)]
    runs = _runs(types, brand, key)
    place = _read_place(before)
    moments = [*_of_runs(runs, user, _beyond(place, RUN)), *_of_events(types, brand, key, _beyond(place, EVENT))]
    subject = _subject(handler, brand, key, runs)
    if subject is None:
        if not any(one.event and not one.event.rule_id for one in moments):
            return None
        subject = Subject(key)
    moments.sort(key=attrgetter("at", "kind", "pk"), reverse=True)
    shown = moments[:PAGE]
    return SubjectHistory(
        subject=subject,
        brand=brand,
        types=types,
        fresh=_fresh([every[name] for name in handler.datasets], brand, key),
        schedules=[(one, schedules(one.name, brand.pk if brand else None, [key]).get(key)) for one in types],
        moments=shown,
        older=shown[-1].place if len(moments) > PAGE else "",
    )


def _subject(handler: JobType, brand: Brand | None, key: str, runs: RunQuerySet) -> Subject | None:
    """As its job type knows it; one that is archived, removed or not watched, as its last run did."""
    known = next((one for one in handler.subjects(brand) if one.key == key), None)
    if known or (last := runs.filter(subject=key).order_by("-pk").first()) is None:
        return known
    return Subject(key, last.subject_label, last.subject_url)


def _runs(types: Iterable[JobType], brand: Brand | None, key: str) -> RunQuerySet:
    """Those of the subject and what belongs to it. Also those of all the brand's subjects, where each subject has clocks."""
    names = [one.name for one in types]
    own = Q(subject=key) | Q(subject__contains=" ", subject__startswith=f"{key} ")  # the first condition is the index's own
    of_all = Q(subject="", job_type__in=[one.name for one in types if one.own_clocks])
    runs = Run.objects.asked_or_started().filter(own | of_all if key else Q(subject=""), Q(brand=brand))
    return runs.filter(job_type__in=names)


def _of_runs(runs: RunQuerySet, user: Any, beyond: Q) -> list[Moment]:
    newest_first = runs.for_rows().annotate(at=Coalesce("started_at", "created_at")).order_by("-at", "-pk")
    found = list(newest_first.filter(beyond)[: PAGE + 1 + EARLIER])
    changes = _changes(found)
    rows = run_rows(found[: PAGE + 1], user)
    return [Moment(RUN, row.run.started_at or row.run.created_at, row.run.pk, row, None, changes[row.run.pk]) for row in rows]


def _changes(newest_first: Sequence[Run]) -> Mapping[int, list[str]]:
    """By run: what its starts have other than the earlier ones of the same step. Reads what for_rows() has fetched."""
    found: dict[int, list[str]] = {}
    last: dict[tuple[str, str], UpstreamRun] = {}
    for run in reversed(newest_first):
        words = found[run.pk] = []
        for start in run.upstream_runs.all():
            if start.status in UpstreamRun.NOTHING:
                continue
            was, last[run.job_type, start.step] = last.get((run.job_type, start.step)), start
            if was and was.actor != start.actor:
                words.append(f"Scraped with {start.actor}, before with {was.actor}.")
            if was and was.price_per_item != start.price_per_item:
                price, before = start.price_per_item * 1000, was.price_per_item * 1000
                words.append(f"1,000 items cost ${price:,.2f}, before ${before:,.2f}.")
    return found


def _of_events(types: Iterable[JobType], brand: Brand | None, key: str, beyond: Q) -> list[Moment]:
    names = [one.name for one in types]
    jobs = Job.objects.filter(Q(brand=brand), job_type__in=names, subject=key, schedule_type=Job.Schedule.RECURRING)
    rules = [
        rule.pk
        for rule in ScheduleRule.objects.filter(Q(brand=brand), job_type__in=names)
        if rule.every_subject or key in rule.subjects
    ]
    ours = Q(job__in=[*jobs.values_list("pk", flat=True)]) | Q(rule__in=rules)
    if key:
        ours |= Q(brand=brand, subject=key, job_type=names[0])
    found = Event.objects.filter(ours, beyond).order_by("-at", "-pk")[: PAGE + 1]
    return [Moment(EVENT, event.at, event.pk, event=event) for event in found]


def _read_place(text: str) -> tuple[datetime, str, int] | None:
    """What Moment.place wrote; None for anything else."""
    at, _, rest = text.partition("~")
    kind, _, pk = rest.partition("~")
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    fits = kind in (RUN, EVENT) and pk.isascii() and pk.isdigit() and len(pk) < LONGEST_NUMBER
    return (moment, kind, int(pk)) if fits else None


def _beyond(place: tuple[datetime, str, int] | None, kind: str) -> Q:
    """Of this kind, what comes after that place. At the same moment runs come first."""
    if place is None:
        return Q()
    at, of, pk = place
    same = Q(at=at, pk__lt=pk) if kind == of else Q(at=at) if kind < of else Q(pk__in=())
    return Q(at__lt=at) | same


def _fresh(of: Sequence[Dataset], brand: Brand | None, key: str) -> list[tuple[Dataset, FreshnessRow]]:
    statuses = DatasetStatus.objects.for_rows().filter(Q(brand=brand), dataset_key__in=[one.key for one in of], subject=key)
    known, now = {status.dataset_key: status for status in statuses}, timezone.now()
    return [(one, freshness_row(known.get(one.key), one.max_age, now)) for one in of]
