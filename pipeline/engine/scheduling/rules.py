"""A schedule of many subjects: one recurring job for each, kept in step with the rule.

Each step is one transaction under the claim's lock and compares what is there with what should be, so that a second worker, or
one after a crash, finds nothing left to do.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import F

from ...contract.errors import InvalidRequest
from ...contract.job_type import JobType, Subject
from ...contract.parameters import clean_parameters
from ...contract.registry import find_type
from ...models import Job, ScheduleRule
from ...states import JobStatus
from ..database import CLAIM_LOCK, lock
from . import cadence
from .saving import ScheduleOptions, end_schedules, save_schedule

logger = logging.getLogger(__name__)
STEP = 50  # schedules that one transaction changes: workers wait for it
RULES_A_ROUND = 100
STEPS_A_ROUND = 4
GONE = "It is no longer among what the schedule of all is for."


def follow_rules(at: datetime) -> None:
    """Bring the rules that were checked longest ago in step with their subjects. Bounded: the next round goes on."""
    rules = list(
        ScheduleRule.objects.select_related("brand").order_by(F("checked_at").asc(nulls_first=True), "pk")[:RULES_A_ROUND]
    )
    ScheduleRule.objects.filter(pk__in=[rule.pk for rule in rules]).update(checked_at=at)
    steps = STEPS_A_ROUND
    for name in sorted({rule.job_type for rule in rules}):
        if (handler := find_type(name)) is None:
            continue
        theirs = [rule for rule in rules if rule.job_type == name]
        subjects = _subjects(handler, theirs)
        jobs = _jobs(theirs)
        for rule in theirs:
            behind = bool(_behind(rule, subjects.get(rule.brand_id, {}), jobs.get(rule.brand_id, {})))
            while behind and steps:
                steps -= 1
                try:
                    behind = follow_rule(rule.pk)
                except DatabaseError:
                    raise
                except Exception:
                    logger.exception("%s could not be brought in step with its subjects.", rule)
                    break


def follow_rule(rule_id: int) -> bool:
    """Change at most STEP of its schedules. Whether more are left."""
    with transaction.atomic():
        lock(CLAIM_LOCK)
        rule = ScheduleRule.objects.select_related("brand", "changed_by").get(pk=rule_id)
        if (handler := find_type(rule.job_type)) is None:
            return False
        subjects = _subjects(handler, [rule]).get(rule.brand_id, {})
        jobs = _jobs([rule]).get(rule.brand_id, {})
        behind = _behind(rule, subjects, jobs)
        now = behind[:STEP]
        end_schedules(Job.objects.filter(pk__in=[jobs[key].pk for key in now if key not in subjects]), GONE)
        when = cadences(rule, subjects, spread=rule.spread)
        for key in now:
            if key in subjects:
                _follow(rule, handler, subjects[key], when[key], jobs.get(key))
    return len(behind) > STEP


def cadences(rule: ScheduleRule, subjects: Iterable[str], *, spread: bool) -> dict[str, str]:
    """By subject, its cadence. Spread, they start one after the other."""
    keys = sorted(subjects)
    if spread and cadence.spreads(rule.cadence):
        return {key: cadence.spread(rule.cadence, place, len(keys)) for place, key in enumerate(keys)}
    return dict.fromkeys(keys, rule.cadence)


def _follow(rule: ScheduleRule, handler: JobType, subject: Subject, when: str, job: Job | None) -> None:
    """The subject's schedule is as the rule says. What the type refuses is passed over until the rule changes."""
    wanted = ScheduleOptions(
        enabled=rule.enabled, time_zone=rule.time_zone, max_runs=rule.max_runs, created_by=rule.changed_by, rule=rule
    )
    when = when or (job.cron_expression if job else "")
    try:
        params = clean_parameters(handler.Params, rule.parameters | dict(subject.parameters), rule.brand)
    except InvalidRequest as error:
        logger.warning("%s leaves out %s: %s", rule, subject.label or subject.key, error)
        return
    save_schedule(rule.brand, handler.name, handler.label, subject.key, when, params, wanted)


def _behind(rule: ScheduleRule, subjects: dict[str, Subject], jobs: dict[str, Job]) -> list[str]:
    """The subjects whose schedule is not as the rule says. One with a schedule of its own is none of them."""
    gone = [key for key, job in jobs.items() if job.rule_id == rule.pk and key not in subjects]
    missing = [key for key in subjects if key not in jobs] if rule.enabled else []
    old = [key for key in subjects if key in jobs and jobs[key].rule_id == rule.pk and jobs[key].rule_version != rule.version]
    return [*gone, *old, *missing]


def _subjects(handler: JobType, rules: Iterable[ScheduleRule]) -> dict[UUID | None, dict[str, Subject]]:
    """By brand and key, the open subjects that the rules are for. In the type's own order."""
    by_brand = {rule.brand_id: rule for rule in rules}
    found: dict[UUID | None, dict[str, Subject]] = {}
    open_brands = [rule.brand for rule in by_brand.values() if not (rule.brand and rule.brand.closed)]
    for brand_id, subject in handler.subjects_of(open_brands):
        rule = by_brand.get(brand_id)
        if rule and not subject.closed and (rule.every_subject or subject.key in rule.subjects):
            found.setdefault(brand_id, {})[subject.key] = subject
    return found


def _jobs(rules: Iterable[ScheduleRule]) -> dict[UUID | None, dict[str, Job]]:
    """By brand and subject, every schedule of these types, the subjects' own ones included."""
    found: dict[UUID | None, dict[str, Job]] = {}
    for rule_type, brands in _by_type(rules).items():
        jobs = Job.objects.filter(job_type=rule_type, schedule_type=Job.Schedule.RECURRING).exclude(status=JobStatus.ARCHIVED)
        none = Job.objects.none() if None not in brands else jobs.filter(brand=None)
        for job in [*jobs.filter(brand__in=[pk for pk in brands if pk]), *none]:
            found.setdefault(job.brand_id, {})[job.subject] = job
    return found


def _by_type(rules: Iterable[ScheduleRule]) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = {}
    for rule in rules:
        found.setdefault(rule.job_type, set()).add(rule.brand_id)
    return found
