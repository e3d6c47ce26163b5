"""The tab Schedules: a row for each job type of a brand, or of the platform. Queries do not grow with subjects or brands."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Q
from django.utils import timezone

from ...contract.job_type import JobType, Subject
from ...contract.registry import offered_types
from ...engine.scheduling import cadence
from ...engine.scheduling.rules import cadences
from ...engine.scheduling.ticks import zone_of
from ...models import Brand, Event, Job, Run, ScheduleRule
from ...states import JobStatus, RunStatus
from ...words import time_of_day
from ..estimates import estimate_for
from ..runs import RunRow, run_rows
from .words import TIMES_SHOWN, next_times, runs_a_month, tick_in_words, when_it_runs

PRICED = 20  # the last paid runs tell what one costs
CHANGES = 5


@dataclass(frozen=True)
class Own:
    """A subject with a schedule of its own."""

    job: Job
    label: str
    url: str
    words: str


@dataclass
class TypeRow:
    """`subjects`: all open ones; `own`: those that the rule leaves out; `price`: of one run, USD, None where nothing is paid."""

    handler: JobType
    brand: Brand | None
    rule: ScheduleRule | None
    subjects: list[Subject]
    own: list[Own]
    price: Decimal | None
    last: RunRow | None = None
    next_at: datetime | None = None
    next_deadline: datetime | None = None
    next_count: int = 0
    changes: list[Event] = field(default_factory=list)

    @property
    def zone(self) -> str:
        return zone_of(Job(brand=self.brand, time_zone=self.rule.time_zone if self.rule else ""))

    @property
    def options(self) -> list[str]:
        """The parameters that the rule gives to every run: those that name no subject."""
        named = self.subjects[0].parameters if self.subjects else {}
        return [name for name in self.handler.Params.base_fields if name not in named and name not in self.handler.labels]

    @property
    def for_rule(self) -> int:
        """How many subjects the rule is for, or would be."""
        own = {one.job.subject for one in self.own}
        return sum(one.key not in own for one in self.chosen)

    @property
    def for_whom(self) -> str:
        """'All 5, new ones included', '2 of 5'."""
        if not self.subjects:
            return "Nothing to scrape yet"
        if self.rule and not self.rule.every_subject:
            return f"{self.for_rule} of {len(self.subjects)}"
        if [one.key for one in self.subjects] == [""]:
            return "The whole brand"
        if not self.for_rule:
            return "None: each has a schedule of its own"
        who = "One" if self.for_rule == 1 else f"{'The other' if self.own else 'All'} {self.for_rule}"
        return f"{who}, new ones included"

    @property
    def chosen(self) -> list[Subject]:
        """The subjects that the rule names, those with a schedule of their own included."""
        keys = None if self.rule is None or self.rule.every_subject else set(self.rule.subjects)
        return [one for one in self.subjects if keys is None or one.key in keys]

    @property
    def may_be_spread(self) -> bool:
        return self.on and self.rule is not None and cadence.spreads(self.rule.cadence) and self.for_rule > 0

    @property
    def spread(self) -> bool:
        return self.may_be_spread and self.rule is not None and self.rule.spread

    def moves(self) -> list[tuple[str, str, str]]:
        """What would move if it were spread, or no longer: the subject, when it starts now, and when then."""
        if self.rule is None:
            return []
        keys, own = [one.key for one in self.chosen], {one.job.subject for one in self.own}
        now, then = (cadences(self.rule, keys, spread=spread) for spread in (self.rule.spread, not self.rule.spread))
        of = [one for one in self.chosen if one.key not in own]
        return [
            (one.label or one.key, when_it_runs(now[one.key], self.zone), when_it_runs(then[one.key], self.zone)) for one in of
        ]

    @property
    def on(self) -> bool:
        return self.rule is not None and self.rule.enabled

    @property
    def words(self) -> str:
        return when_it_runs(self.rule.cadence, self.zone) if self.rule and self.rule.cadence else "On demand"

    @property
    def next_words(self) -> str:
        """'latest start 08:41, ready by 09:00', or when the next run is due."""
        if self.next_at is None:
            return ""
        start = self.next_at.astimezone(ZoneInfo(self.zone))
        if self.rule and self.next_deadline and cadence.kind(self.rule.cadence) == cadence.READY:
            end = self.next_deadline.astimezone(ZoneInfo(self.zone))
            return f"{tick_in_words(end)}, latest start {time_of_day(start)}"
        return f"{'Waits since ' if self.next_at < timezone.now() else ''}{tick_in_words(start)}"

    @property
    def cost(self) -> Decimal:
        """USD a month of the saved rule."""
        return self.outlook(self.rule.cadence if self.rule and self.rule.enabled else "", self.zone, self.for_rule)["cost"]

    @cached_property
    def own_cost(self) -> Decimal:
        """USD a month of the schedules that subjects have of their own and that are not paused."""
        going = Counter((one.job.cron_expression, zone_of(one.job)) for one in self.own if one.job.status == JobStatus.ACTIVE)
        return sum((self.outlook(*schedule, count)["cost"] for schedule, count in going.items()), Decimal(0))

    def outlook(self, expression: str, zone: str, subjects: int) -> dict[str, Any]:
        """What a cadence would mean: in words, its next times, runs and USD a month."""
        if not expression:
            return {"words": "On demand", "times": [], "runs": Decimal(0), "cost": Decimal(0)}
        runs = runs_a_month(expression, zone) * subjects
        times = (
            []
            if cadence.said_in_full(expression)
            else [tick_in_words(time) for time in next_times(expression, zone, TIMES_SHOWN)]
        )
        return {"words": when_it_runs(expression, zone), "times": times, "runs": runs, "cost": runs * (self.price or 0)}


def schedule_types(*, platform: bool) -> list[JobType]:
    """The job types of the sub-tab. One that has no data and needs parameters has nothing to keep up to date."""
    types = [one for one in offered_types() if one.platform == platform]
    return [one for one in types if one.datasets or not _needs_parameters(one)]


def schedule_rows(brand: Brand | None, user: Any, *, only: str = "") -> list[TypeRow]:
    """`only`: the name of one type."""
    types = [one for one in schedule_types(platform=brand is None) if only in ("", one.name)]
    names = [one.name for one in types]
    of_brand = Q(brand=brand, job_type__in=names)
    rules = {rule.job_type: rule for rule in ScheduleRule.objects.filter(of_brand).select_related("changed_by")}
    jobs = Job.objects.filter(of_brand, schedule_type=Job.Schedule.RECURRING, rule=None).exclude(status=JobStatus.ARCHIVED)
    own = defaultdict(list)
    for job in jobs.select_related("brand"):
        own[job.job_type].append(job)
    ticks = Run.objects.filter(of_brand, status=RunStatus.PENDING, scheduled_for__isnull=False, job_paused=False, started_at=None)
    coming = {
        name: (at, deadline, count)
        for name, at, deadline, count in ticks.order_by()
        .values_list("job_type")
        .annotate(Min("due_at"), Min("deadline"), Count("pk"))
    }
    told: dict[int, list[Event]] = defaultdict(list)
    for event in Event.objects.filter(rule__in=rules.values()).select_related("by").order_by("-pk")[: CHANGES * len(types)]:
        told[event.rule_id or 0].append(event)
    last = _last_runs(brand, names, user)
    rows = []
    for one in types:
        rule, subjects = rules.get(one.name), one.subjects(brand)
        by_key = {subject.key: subject for subject in subjects}
        theirs = [_own(job, by_key.get(job.subject)) for job in own[one.name]]
        row = TypeRow(one, brand, rule, subjects, theirs, _price(one, brand, rule, subjects), last.get(one.name))
        row.next_at, row.next_deadline, row.next_count = coming.get(one.name, (None, None, 0))
        row.changes = told[rule.pk][:CHANGES] if rule else []
        rows.append(row)
    return rows


def _own(job: Job, subject: Subject | None) -> Own:
    label = subject.label if subject and subject.label else str(job)
    return Own(job, label, subject.url if subject else "", when_it_runs(job.cron_expression, zone_of(job)))


def _last_runs(brand: Brand | None, names: list[str], user: Any) -> dict[str, RunRow]:
    """By type, its run that ended or started last."""
    last = [
        run
        for name in names
        if (run := Run.objects.for_rows().filter(Q(brand=brand), job_type=name).asked_or_started().order_by("-pk").first())
    ]
    return {row.run.job_type: row for row in run_rows(last, user)}


def _price(handler: JobType, brand: Brand | None, rule: ScheduleRule | None, subjects: list[Subject]) -> Decimal | None:
    """USD of one run: the mean of the last that were paid, else what the type expects of its first subject."""
    if not handler.actor:
        return None
    since = timezone.now() - timedelta(days=90)
    paid = Run.objects.filter(
        Q(brand=brand), job_type=handler.name, status=RunStatus.COMPLETED, cost_actual__gt=0, completed_at__gt=since
    )
    costs = [cost for cost in paid.order_by("-pk").values_list("cost_actual", flat=True)[:PRICED] if cost is not None]
    if costs:
        return sum(costs, Decimal(0)) / len(costs)
    if not subjects:
        return None
    defaults = {name: one.initial for name, one in handler.Params.base_fields.items()}
    given = defaults | (rule.parameters if rule else {}) | dict(subjects[0].parameters)
    estimate = estimate_for(handler.name, brand, given)
    return estimate.cost_usd if estimate else None


def _needs_parameters(handler: JobType) -> bool:
    return any(one.required and one.initial is None for one in handler.Params.base_fields.values())
