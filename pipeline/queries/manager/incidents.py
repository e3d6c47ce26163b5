"""Incidents in words: what failed, how often, for whom, what to do, and how far the retry is. All of the reader's brands only."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from ...contract.registry import find_type, label_of
from ...models import FailedRun, Incident, Run
from ...people import Brands, brands_for, may_spend
from ...states import LIVE, RunStatus
from ...words import counted
from ..explain import QueueView, explain

SHOWN, RESOLVED_SHOWN = 20, 5
NAMED = 3  # subjects of an incident that a list names
RESOLVED_WITHIN = timedelta(days=7)
_FIRST = re.compile(r"(?<=[.!?])\s")
READ = ("brand_id", "job_type", "over_at", *(f"run__{name}" for name in ("status", "error_message", "cost_estimate")))
State, Fixing = Incident.State, Incident.Fixing


class Failed(NamedTuple):
    """What a list says of a failed run: `READ`, and whose it is."""

    brand_id: UUID | None
    job_type: str
    over_at: datetime | None
    status: str
    error_message: str
    cost_estimate: Decimal | None
    brand: str | None
    subject: str

    @property
    def named(self) -> str:
        """'Acme: toy bear'."""
        return ": ".join(filter(None, [self.brand, self.subject]))


@dataclass(frozen=True)
class FixStep:
    icon: str
    words: str
    current: bool = False
    url: str = ""


@dataclass(frozen=True)
class IncidentRow:
    """`open`: its subjects that have not worked since, of the reader's brands. `whole`: the reader sees all of them."""

    incident: Incident
    title: str
    text: str
    label: str
    emoji: str
    times: int
    open: int
    first_seen: datetime
    last_seen: datetime
    subjects: list[str]
    steps: list[FixStep]
    recovers: bool
    whole: bool
    may_retry: bool
    may_manage: bool
    first_price: Decimal | None  # of the test run
    price: Decimal | None  # of all that would be retried

    @property
    def tone(self) -> str:
        if self.incident.state != State.OPEN:
            return "grey"
        return "amber" if self.recovers else "red"

    @property
    def more_subjects(self) -> int:
        return max(self.open - len(self.subjects), 0)


@dataclass
class Figures:
    """What the failed runs of one incident come to, of the reader's brands."""

    times: int = 0
    open: int = 0
    others: int = 0  # open, of brands that are not open to the reader
    at_work: int = 0
    held: int = 0
    first: datetime | None = None
    last: datetime | None = None
    usd: Decimal | None = None
    latest: list[Failed] = field(default_factory=list)


def incidents_now(user: Any, at: datetime) -> tuple[list[IncidentRow], list[IncidentRow], int]:
    """The open or snoozed ones, then those resolved lately, each the latest first; and how many more are open or snoozed."""
    theirs = FailedRun.objects.filter(brands_for(user).q())
    found = Incident.objects.filter(
        state__in=Incident.UNRESOLVED, pk__in=theirs.filter(over_at=None).values("incident")
    ).select_related("canary__brand", "canary__job")
    unresolved = list(found.order_by("-last_seen")[: SHOWN + 1])
    more = found.count() - SHOWN if len(unresolved) > SHOWN else 0
    over = Incident.objects.filter(state=State.RESOLVED, last_seen__gt=at - RESOLVED_WITHIN, pk__in=theirs.values("incident"))
    resolved = list(over.select_related("resolved_by").order_by("-last_seen")[:RESOLVED_SHOWN])
    rows = incident_rows([*unresolved[:SHOWN], *resolved], user, at)
    return rows[: len(rows) - len(resolved)], rows[len(rows) - len(resolved) :], more


def subjects_failing_by(kinds: Collection[str], user: Any) -> set[tuple[UUID | None, str, str]]:
    """Brand, key and error of the subjects for which an unresolved incident of such errors tells what to do."""
    failing = FailedRun.objects.filter(
        brands_for(user).q(), over_at=None, incident__state__in=Incident.UNRESOLVED, incident__kind__in=kinds
    )
    return set(failing.values_list("brand_id", "subject", "incident__kind"))


def failed_runs(incident: Incident, user: Any) -> QuerySet[FailedRun]:
    """Its runs of the reader's brands, those first that have not worked since."""
    rows = FailedRun.objects.filter(brands_for(user).q(), incident=incident).select_related("run__brand", "brand")
    return rows.order_by(F("over_at").desc(nulls_first=True), "-failed_at")


def incident_rows(incidents: list[Incident], user: Any, at: datetime | None = None) -> list[IncidentRow]:
    """In a few queries, however many there are."""
    at = at or timezone.now()
    brands, around = brands_for(user), QueueView(at, user)
    figures = _figures([one.pk for one in incidents], brands)
    return [_row(one, figures[one.pk], brands, around, user) for one in incidents]


def _figures(ids: list[int], brands: Brands) -> dict[int, Figures]:
    found: defaultdict[int, Figures] = defaultdict(Figures)
    if not ids:
        return found
    rows = FailedRun.objects.filter(incident__in=ids).order_by()
    still = Q(over_at=None)
    for one in (
        rows.filter(brands.q())
        .values("incident")
        .annotate(
            n=Sum("times"),
            open=Count("pk", filter=still),
            at_work=Count("pk", filter=still & Q(run__status__in=LIVE)),
            held_back=Count("pk", filter=Q(held=True)),
            first=Min("failed_at"),
            last=Max("failed_at"),
            usd=Sum("run__cost_estimate", filter=still & Q(run__status=RunStatus.FAILED)),
        )
    ):
        found[one["incident"]] = Figures(
            one["n"], one["open"], 0, one["at_work"], one["held_back"], one["first"], one["last"], one["usd"]
        )
    if not brands.every:
        for pk, others in rows.filter(still).exclude(brands.q()).values_list("incident").annotate(n=Count("pk")):
            found[pk].others = others
    back = Window(RowNumber(), partition_by=F("incident"), order_by=[F("over_at").desc(nulls_first=True), F("failed_at").desc()])
    # Their runs are read afterwards: with them, each of thousands would carry its run through the sort.
    first = list(
        rows.filter(brands.q()).annotate(back=back).filter(back__lte=NAMED).order_by("back").values_list("pk", flat=True)
    )
    read = FailedRun.objects.filter(pk__in=first).order_by()
    known = {row[0]: row for row in read.values_list("pk", "incident_id", *READ, "run__brand__name", "run__subject_label")}
    for _, incident, *values in (known[pk] for pk in first if pk in known):
        found[incident].latest.append(Failed(*values))
    return found


def _row(incident: Incident, of: Figures, brands: Brands, around: QueueView, user: Any) -> IncidentRow:
    latest = of.latest[0] if of.latest else None
    # The incident's own words and times may be of a brand that the reader does not see.
    said = incident.message if brands.every else latest.error_message if latest else ""
    title, *rest = _FIRST.split(said or "Its runs failed.", maxsplit=1)
    title = _of_all(title, [_FIRST.split(one.error_message, maxsplit=1)[0] for one in of.latest])
    canary = incident.canary if incident.canary and incident.canary.brand_id in brands else None
    handler = find_type(incident.job_type)
    waiting = [one for one in of.latest if one.over_at is None and one.status == RunStatus.FAILED]
    recovers = incident.fixing in (Fixing.TRYING, Fixing.PASSED) or bool(of.open and of.open == of.at_work)
    recovers = recovers or bool(incident.fixing == Fixing.FOLLOWED and of.at_work)
    unresolved_now = incident.state != State.RESOLVED
    return IncidentRow(
        incident=incident,
        title=title.removesuffix("."),
        text=rest[0] if rest else "",
        label=label_of(incident.job_type),
        emoji=handler.emoji if handler else "",
        times=of.times,
        open=of.open,
        first_seen=(incident.first_seen if brands.every else of.first) or incident.first_seen,
        last_seen=of.last or incident.last_seen,
        subjects=[one.named for one in of.latest if one.over_at is None],
        steps=_steps(incident, of, canary, around),
        recovers=recovers,
        whole=brands.every or not of.others,
        may_retry=unresolved_now
        and not recovers
        and bool(waiting)
        and any(may_spend(user, one.brand_id, one.job_type) for one in waiting[:1]),
        may_manage=unresolved_now and not of.others and user is not None and user.has_perm("pipeline.manage_incident"),
        first_price=waiting[0].cost_estimate if waiting else None,
        price=of.usd,
    )


def _of_all(title: str, others: Sequence[str]) -> str:
    """The title with '…' where those of other runs differ: one account's number would say that it is about that one alone."""
    words = title.split()
    for other in (one.split() for one in others):
        if len(other) == len(words):
            words = [word if word == theirs else "…" for word, theirs in zip(words, other, strict=True)]
    return " ".join(words)


def _steps(incident: Incident, of: Figures, canary: Run | None, around: QueueView) -> list[FixStep]:
    """Held, test run, the others: where the retry is."""
    name = f"test run {canary.pk}" if canary else "the test run"
    capital, url = name[0].upper() + name[1:], canary.get_absolute_url() if canary else ""
    others = f"{of.held} follow" if of.held != 1 else "1 follows"
    match incident.fixing:
        case Fixing.TRYING:
            words = (explain(canary, around.at, around) if canary else "") or "at work"
            held = [FixStep("pause", f"{counted(of.held, 'run')} held")] if of.held else []
            test = FixStep("play", f"{capital}: {words[0].lower()}{words[1:].removesuffix('.')}", True, url)
            return [*held, test, *([FixStep("check", others)] if of.held else [])]
        case Fixing.PASSED:
            return [FixStep("check", f"{capital} worked", url=url), FixStep("play", f"{others} now", True)]
        case Fixing.HELD if of.open:
            return [FixStep("alert", f"{capital} did not work", True, url), FixStep("pause", f"{counted(of.open, 'run')} held")]
        case Fixing.FOLLOWED if of.at_work:
            return [FixStep("check", f"{capital} worked", url=url), FixStep("play", f"{of.at_work} at work", True)]
    if of.open and of.at_work == of.open:
        return [FixStep("play", f"{counted(of.at_work, 'run')} at work", True)]
    if of.open > 1:
        return [
            FixStep("pause", f"{of.open} runs held", True),
            FixStep("play", "1 test run"),
            FixStep("check", f"{of.open - 1} follow{'s' if of.open == 2 else ''}"),
        ]
    return []
