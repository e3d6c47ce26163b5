"""All runs that a filter leaves: a page of them, how many there are in each state, and the same for a file.

Nothing here counts or reads further than a limit, so a page takes as long with a million runs as with a thousand.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_
from typing import Any, NamedTuple

from django.db.models import Count, Q

from ....models import Brand, Job, Run
from ....models.runs import RunQuerySet
from ....people import brands_for
from ....states import RETRY, RunStatus, Verdict
from ...runs import RunRow, run_rows

PAGE = 25  # lines
READ = 100  # runs that may fold into these lines
COUNTED = 5_000  # a state has at most so many, or "5,000+"
SEARCHED = 10_000  # runs in which words are sought: no index helps there
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DOUBTED = [str(Verdict.PARTIAL), str(Verdict.SUSPICIOUS)]
# What the address calls a state -> its word and which runs it has. Each run is in one of them.
STATES: dict[str, tuple[str, Q]] = {
    "pending": (RunStatus.PENDING.label, Q(status="pending", attempt=0)),
    "retry": (RETRY.word, Q(status="pending", attempt__gt=0)),
    "running": (RunStatus.RUNNING.label, Q(status="running")),
    "waiting": (RunStatus.WAITING.label, Q(status="waiting")),
    "check": ("Check", Q(verdict__in=DOUBTED)),
    "failed": (RunStatus.FAILED.label, Q(status="failed")),
    "completed": (RunStatus.COMPLETED.label, Q(status="completed", verdict="ok")),
    "cancelled": (RunStatus.CANCELLED.label, Q(status="cancelled")),
}
ENDED = ("check", "failed", "completed", "cancelled")


@dataclass(frozen=True)
class Asked:
    """What the address asks for. Times are of the run's end: from `since`, before `until`."""

    status: str = ""
    job_type: str = ""
    brand: Brand | None = None
    trigger: str = ""
    person: Any = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    error: str = ""
    subject: str = ""
    job: Job | None = None

    @property
    def by_end(self) -> bool:
        """Runs that have all ended are listed by their end, others by when they were queued."""
        return bool(self.since or self.until or self.error or self.status in ENDED)


class Glance(NamedTuple):
    """Of a run what folding and the place in the list need."""

    pk: int
    job_id: int
    completed_at: datetime | None
    tick: bool


@dataclass(frozen=True)
class Line:
    """A run, or the newest of several ticks of one schedule that all went well."""

    row: RunRow
    times: int


@dataclass(frozen=True)
class StateCount:
    name: str  # in the address; '' for all
    word: str
    count: str


@dataclass(frozen=True)
class HistoryPage:
    lines: list[Line]
    states: list[StateCount]
    found: RunQuerySet  # all that match, on whatever page
    newer: str = ""  # the place from which the next page is read; '' if there is none
    older: str = ""
    searched: str = ""  # how far back the words were sought, if not in all runs


def history(asked: Asked, user: Any, *, before: str = "", after: str = "") -> HistoryPage:
    """The newest lines; or those before or after a place of an earlier page."""
    every, searched = found(asked, user)
    states = found(replace(asked, status=""), user)[0] if asked.status else every
    counts = _counts(states) if asked.words or asked.error else _limited_counts(states, possible(replace(asked, status="")))
    if after and (place := _place(after, asked)):
        glances = _glances(every.filter(_beyond(place, asked, newer=True)), asked, newest_first=False)
        taken, more = _fitting(glances, asked)
        if more:  # else the newest page has these too, and is a full one
            taken = taken[::-1]
            lines = _lines(taken, asked, user)
            return HistoryPage(lines, counts, every, _key(taken[0], asked), _key(taken[-1], asked), searched)
    earlier = _place(before, asked) if before else None
    runs = every.filter(_beyond(earlier, asked, newer=False)) if earlier else every
    taken, more = _fitting(_glances(runs, asked), asked)
    newer = _key(taken[0], asked) if earlier and taken else ""
    older = _key(taken[-1], asked) if more else ""
    return HistoryPage(_lines(taken, asked, user), counts, every, newer, older, searched)


def found(asked: Asked, user: Any) -> tuple[RunQuerySet, str]:
    """The runs that match, in no order; and how far back the words were sought, if not in all runs."""
    runs = Run.objects.filter(brands_for(user).q())
    if not possible(asked):
        return runs.none(), ""
    if asked.status:
        runs = runs.filter(STATES[asked.status][1])
    wanted: Mapping[str, Any] = {
        "job_type": asked.job_type,
        "brand": asked.brand,
        "trigger_source": asked.trigger,
        "created_by": asked.person,
        "completed_at__gte": asked.since,
        "completed_at__lt": asked.until,
        "subject": asked.subject,
        "job": asked.job,
    }
    runs = runs.filter(**{name: value for name, value in wanted.items() if value})
    if asked.subject and not asked.brand:
        runs = runs.filter(brand=None)  # a key is of one brand or of none: so an index leads to its runs
    if not asked.words and not asked.error:
        return runs, ""
    if asked.error:
        runs = runs.filter(STATES["failed"][1])  # an index leads to them; what may still go well is few, and in its own tab
    column = "completed_at" if asked.by_end else "pk"  # alone, so that an index of the state has all that is read
    edge = runs.order_by(f"-{column}").values_list(column, flat=True)[SEARCHED : SEARCHED + 1].first()
    if edge is not None:
        runs = runs.filter(**{f"{column}__gt": edge})
    alike = [Q(subject_label__alike=word) for word in asked.words.split()]
    alike += [Q(error_message__alike=word) for word in asked.error.split()]
    said = f"Searched the newest {SEARCHED:,} runs that the other filters leave." if edge is not None else ""
    return runs.filter(reduce(and_, alike)), said


def possible(asked: Asked) -> Collection[str]:
    """The states that runs of this filter can be in: those that are live have neither an end nor an error yet."""
    states: Collection[str] = ("failed",) if asked.error else ENDED if asked.since or asked.until else STATES
    return [state for state in states if asked.status in ("", state)]


def in_order(runs: RunQuerySet, asked: Asked) -> RunQuerySet:
    return runs.order_by(*_order(asked))


def _order(asked: Asked) -> list[str]:
    return ["-completed_at", "-pk"] if asked.by_end else ["-pk"]


def _limited_counts(runs: RunQuerySet, states: Collection[str]) -> list[StateCount]:
    """Each by the index of its state, up to COUNTED. Runs can be in these states only."""
    of_state = [(name, word, runs.filter(which) if name in states else runs.none()) for name, (word, which) in STATES.items()]
    numbers = [(name, word, some.order_by()[: COUNTED + 1].count()) for name, word, some in [("", "All", runs), *of_state]]
    return [StateCount(name, word, f"{number:,}" if number <= COUNTED else f"{COUNTED:,}+") for name, word, number in numbers]


def _counts(runs: RunQuerySet) -> list[StateCount]:
    """All together: at most SEARCHED runs are read, but each of them is slow."""
    sums = {name: Count("pk", filter=which) for name, (_, which) in STATES.items()}
    found = runs.aggregate(**sums, all=Count("pk"))
    words = [("", "All"), *((name, word) for name, (word, _) in STATES.items())]
    return [StateCount(name, word, f"{found[name or 'all']:,}") for name, word in words]


def _glances(runs: RunQuerySet, asked: Asked, *, newest_first: bool = True) -> list[Glance]:
    """Their numbers first: an index has these, of a person's runs too. Asked for more, PostgreSQL walks back through all runs."""
    ordered = in_order(runs, asked) if newest_first else in_order(runs, asked).reverse()
    pks = list(ordered.values_list("pk", flat=True)[: READ + 1])
    columns = ("pk", "job_id", "completed_at", "scheduled_for", "status", "verdict")
    glances = {
        pk: Glance(pk, job, end, bool(due) and state == RunStatus.COMPLETED and verdict == Verdict.OK)
        for pk, job, end, due, state, verdict in Run.objects.filter(pk__in=pks).order_by().values_list(*columns)
    }
    return [glances[pk] for pk in pks if pk in glances]


def _line_of_each(glances: list[Glance], asked: Asked) -> list[int]:
    """Ticks of one schedule that all went well share a line, up to one that did not. The same in both directions."""
    numbers: list[int] = []
    growing: dict[int, int] = {}  # job -> its line that can take another tick
    lines = 0
    for glance in glances:
        number = growing.get(glance.job_id) if glance.tick else None
        if number is None:
            number, lines = lines, lines + 1
        if glance.tick and asked.job is None:
            growing[glance.job_id] = number
        else:
            growing.pop(glance.job_id, None)
        numbers.append(number)
    return numbers


def _fitting(glances: list[Glance], asked: Asked) -> tuple[list[Glance], bool]:
    """The first of them, as many as fit on a page; and whether others are left."""
    numbers = _line_of_each(glances[:READ], asked)
    fit = numbers.index(PAGE) if PAGE in numbers else len(numbers)
    return glances[:fit], fit < len(glances)


def _lines(glances: list[Glance], asked: Asked, user: Any) -> list[Line]:
    numbers = _line_of_each(glances, asked)
    newest = [glance.pk for position, glance in enumerate(glances) if numbers[position] not in numbers[:position]]
    runs = Run.objects.for_rows().in_bulk(newest)
    times = dict(zip(newest, Counter(numbers).values(), strict=True))  # both in the order of the lines
    rows = run_rows([runs[pk] for pk in newest if pk in runs], user)
    return [Line(row, times[row.run.pk]) for row in rows]


def _key(glance: Glance, asked: Asked) -> str:
    """A place in the list, for the address: '481', or with the microsecond of its end before it."""
    if not asked.by_end or glance.completed_at is None:
        return str(glance.pk)
    return f"{(glance.completed_at - EPOCH) // timedelta(microseconds=1)}-{glance.pk}"


def _place(key: str, asked: Asked) -> tuple[datetime | None, int] | None:
    """What _key() wrote; None for anything else."""
    end, _, pk = key.rpartition("-")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    if not asked.by_end:
        return None if end else (None, int(pk))
    if not (end.isascii() and end.isdigit() and len(end) < 18):
        return None
    return EPOCH + timedelta(microseconds=int(end)), int(pk)


def _beyond(place: tuple[datetime | None, int], asked: Asked, *, newer: bool) -> Q:
    end, pk = place
    way = "gt" if newer else "lt"
    if not asked.by_end:
        return Q(**{f"pk__{way}": pk})
    # The first condition repeats the others for the index: neither database reads it out of an OR.
    return Q(**{f"completed_at__{way}e": end}) & (
        Q(**{f"completed_at__{way}": end}) | Q(**{"completed_at": end, f"pk__{way}": pk})
    )
