"""A schedule: create, change, move and end it. Its one future run moves in the same transaction."""

from typing import Any
from uuid import UUID

from django.db import transaction

from ..contract.errors import InvalidRequest, NotAllowed
from ..contract.job_type import JobType
from ..contract.parameters import clean_parameters
from ..contract.registry import get_type
from ..engine.database import CLAIM_LOCK, lock
from ..engine.journal import record_event
from ..engine.scheduling import cadence, rules
from ..engine.scheduling.place import locked_with_run
from ..engine.scheduling.saving import ScheduleOptions, end_schedules, save_schedule
from ..engine.scheduling.ticks import reschedule
from ..models import Brand, Job, ScheduleRule
from ..models.runs import of_subject
from ..people import require, require_spend
from ..states import JobStatus
from .enqueue import find_brand, validated

CHANGE = "pipeline.change_job"
VALUES = ("cadence", "time_zone", "parameters", "every_subject", "subjects", "max_runs", "spread", "enabled")


def ensure_recurring_job(
    brand_id: UUID | str | None,
    job_type: str,
    cron_expression: str,
    parameters: dict[str, Any] | None = None,
    **options: Any,
) -> Job:
    """Create or update the one schedule of (brand, type, subject); its single future run moves in the same transaction.

    It becomes the subject's own: no rule changes it any more. NotAllowed unless `created_by` may spend there and change
    schedules.

    `options`: the fields of ScheduleOptions. What is not given takes its default, also where the schedule had another value.
    """
    wanted = ScheduleOptions(**options)
    cadence.check(cron_expression, wanted.time_zone)
    handler, brand, params, subject = validated(brand_id, job_type, parameters, wanted.created_by)
    _refuse_internal(handler)
    require(wanted.created_by, CHANGE, brand.pk if brand else None)
    with transaction.atomic():
        lock(CLAIM_LOCK)
        return save_schedule(brand, job_type, handler.label, subject.key, cron_expression, params, wanted)


def save_rule(brand_id: UUID | str | None, job_type: str, *, created_by: Any = None, **values: Any) -> ScheduleRule:
    """Create or change the schedule of many subjects: the one of (brand, type). The first of them follow in the same transaction,
    the others within minutes.

    `values`: fields of ScheduleRule in VALUES; what is not given stays. InvalidRequest names what is wrong by field.
    """
    handler, brand = _allowed(brand_id, job_type, created_by)
    with transaction.atomic():
        lock(CLAIM_LOCK)
        rule = ScheduleRule.objects.filter(brand=brand, job_type=job_type).first() or ScheduleRule(
            brand=brand, job_type=job_type, enabled=False
        )
        return _save(rule, handler, values, created_by, "Schedule changed" if rule.pk else "Scheduled")


def undo_rule(rule: ScheduleRule, by: Any) -> ScheduleRule:
    """Bring back the values from before the last change. A second undo undoes the first."""
    handler, _ = _allowed(rule.brand_id, rule.job_type, by)
    with transaction.atomic():
        current = _unchanged(rule)
        if not current.before:
            raise NotAllowed("This schedule has no earlier state.")
        return _save(current, handler, current.before, by, "Change undone")


def spread_rule(rule: ScheduleRule, on: bool, by: Any) -> ScheduleRule:
    """Let its subjects start one after the other within the hour, or together again."""
    handler, _ = _allowed(rule.brand_id, rule.job_type, by)
    with transaction.atomic():
        current = _unchanged(rule)
        if on and not cadence.spreads(current.cadence):
            raise NotAllowed("Only a schedule that starts at a minute of the hour can be spread over it.")
        return _save(current, handler, {"spread": on}, by, "Spread over the hour" if on else "Set to start together")


def _unchanged(rule: ScheduleRule) -> ScheduleRule:
    """The rule as it is now, if it is as the person saw it. In the caller's transaction."""
    lock(CLAIM_LOCK)
    current = ScheduleRule.objects.get(pk=rule.pk)
    if current.version != rule.version:
        raise NotAllowed("Somebody else just changed this schedule. Reload the page.")
    return current


def _allowed(brand_id: UUID | str | None, job_type: str, by: Any) -> tuple[JobType, Brand | None]:
    handler, brand = get_type(job_type), find_brand(brand_id)
    _refuse_internal(handler)
    require_spend(by, brand.pk if brand else None, job_type)
    require(by, CHANGE, brand.pk if brand else None)
    if brand and brand.closed:
        raise InvalidRequest(brand.closed)
    return handler, brand


def _refuse_internal(handler: JobType) -> None:
    if handler.internal:
        raise InvalidRequest(f"{handler.label} starts when it is needed. It cannot be scheduled.")


def _save(rule: ScheduleRule, handler: JobType, values: dict[str, Any], by: Any, what: str) -> ScheduleRule:
    before = {name: getattr(rule, name) for name in VALUES} if rule.pk else {"cadence": "", "enabled": False}
    for name in VALUES:
        setattr(rule, name, values.get(name, getattr(rule, name)))
    _check(rule, handler)
    rule.before, rule.changed_by, rule.version = before, by, rule.version + 1
    rule.save()
    off = "" if rule.enabled else ", and switched off"
    record_event(
        "rule_changed",
        f"{what} by {by or 'another program'}: {cadence.told(rule.cadence) if rule.cadence else 'on demand'}{off}.",
        rule=rule,
        by=by,
    )
    rules.follow_rule(rule.pk)
    return rule


def _check(rule: ScheduleRule, handler: JobType) -> None:
    """InvalidRequest if the values do not fit together, or the type refuses the parameters."""
    if rule.enabled and not rule.cadence:
        raise InvalidRequest("Choose when it runs, or switch it off.", {"cadence": ["Choose when it runs, or switch it off."]})
    if rule.cadence:
        cadence.check(rule.cadence, rule.time_zone)
    known = handler.subjects(rule.brand)
    if not rule.every_subject:
        unknown = set(rule.subjects) - {subject.key for subject in known}
        if unknown or not rule.subjects:
            words = "Choose at least one." if not rule.subjects else "One of these was removed. Choose again."
            raise InvalidRequest(words, {"subjects": [words]})
    if not known:
        if rule.enabled:
            raise InvalidRequest(f"{handler.label} has nothing to schedule here yet.")
        return
    named = dict(known[0].parameters)
    params = clean_parameters(handler.Params, rule.parameters | named, rule.brand)
    rule.parameters = {name: value for name, value in params.items() if name not in named}


def check_schedule(cron_expression: str, time_zone: str = "") -> None:
    """InvalidRequest if there is no such cadence, or the time zone does not exist."""
    cadence.check(cron_expression, time_zone)


def end_schedules_of(
    job_type: str, subject: str, *, brand_id: UUID | None = None, why: str = "What it scrapes was removed."
) -> None:
    """Archive the schedules of a removed subject, in the transaction that removes it. `brand_id`: of this brand only."""
    jobs = Job.objects.filter(of_subject(subject), job_type=job_type)
    end_schedules(jobs.filter(brand_id=brand_id) if brand_id else jobs, why)


def reschedule_brand(brand: Brand) -> None:
    """The brand's time zone changed: move its schedules that have no time zone of their own."""
    with transaction.atomic():
        lock(CLAIM_LOCK)
        for job in brand.jobs.filter(schedule_type=Job.Schedule.RECURRING, time_zone="").exclude(status=JobStatus.ARCHIVED):
            reschedule(locked_with_run(job))
