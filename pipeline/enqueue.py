"""How one-time work comes into being: a job and its run, or the live run that already does the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from .contract.errors import InvalidRequest, NotAllowed
from .contract.job_type import JobType, Subject
from .contract.parameters import clean_parameters
from .contract.registry import get_type
from .engine.database import CLAIM_LOCK, lock, now, wake_workers
from .engine.lifecycle.lease import Lease
from .engine.queue.claim import take_lease
from .engine.queue.stops import stops_for
from .engine.scheduling.place import PLACE_GAP, build_run, dedupe_key, insert_run, order_at_for
from .models import Brand, Job, Run, Worker
from .states import LIVE

BATCH = 500  # runs of one transaction


@dataclass(frozen=True)
class Queued:
    """`created` is False where a live run already held the key: `run` is that one, and nothing was added."""

    job: Job
    run: Run
    created: bool


def queue_one_time_job(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: dict[str, Any] | None = None,
    *,
    trigger_source: str = Job.Trigger.MANUAL,
    name: str | None = None,
    max_retries: int = 3,
    created_by: Any = None,
) -> Queued:
    """Queue the work for a brand (None: the platform). A second call while a run for the same subject is live returns that."""
    brand, params, subject = checked(brand_id, job_type, parameters)
    return _queue(brand, job_type, params, subject, trigger_source, name, max_retries, created_by)


def queue_many(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: Sequence[dict[str, Any]],
    *,
    trigger_source: str = Job.Trigger.MANUAL,
    max_retries: int = 3,
    created_by: Any = None,
) -> list[Queued | InvalidRequest]:
    """As queue_one_time_job for each of the parameters, in a few statements. In their order, what became of each."""
    handler, brand = get_type(job_type), _brand(brand_id)
    answers: list[str | InvalidRequest] = []  # the key of each, or what is wrong with it
    wanted: dict[str, tuple[dict[str, Any], Subject]] = {}
    for given in parameters:
        try:
            params = clean_parameters(handler.Params, given, brand)
            subject = handler.subject(brand, params)
        except InvalidRequest as error:
            answers.append(error)
            continue
        key = dedupe_key(job_type, brand.pk if brand else None, subject.key)
        wanted.setdefault(key, (params, subject))
        answers.append(key)
    found: dict[str, Queued] = {}
    every = list(wanted)
    for start in range(0, len(every), BATCH):
        keys = every[start : start + BATCH]
        found |= {key: Queued(run.job, run, created=False) for key, run in _live(keys).items()}
        missing = {key: wanted[key] for key in keys if key not in found}
        jobs = {
            key: _new_job(brand, handler, params, subject, trigger_source, max_retries, created_by)
            for key, (params, subject) in missing.items()
        }
        try:
            with transaction.atomic():
                at = wake_workers()
                first = order_at_for(job_type, brand.pk if brand else None, at)
                Job.objects.bulk_create(jobs.values())
                new = [
                    build_run(
                        job,
                        due_at=at,
                        order_at=first + number * PLACE_GAP,
                        at=at,
                        subject=missing[key][1],
                        **_of_click(job, key),
                    )
                    for number, (key, job) in enumerate(jobs.items())
                ]
                # By key: of two who queue the same in different orders, each would wait for what the other has inserted.
                Run.objects.bulk_create(sorted(new, key=lambda run: str(run.dedupe_key)))
            found |= {key: Queued(run.job, run, created=True) for key, run in zip(missing, new, strict=True)}
        except IntegrityError:  # somebody queued one of them meanwhile: find out which
            for key, (params, subject) in missing.items():
                found[key] = _queue(brand, job_type, params, subject, trigger_source, None, max_retries, created_by)
    said: list[Queued | InvalidRequest] = []
    for answer in answers:
        if isinstance(answer, str):
            said.append(found[answer])
            found[answer] = replace(found[answer], created=False)  # whoever asks for the same again gets the same
        else:
            said.append(answer)
    return said


def start_here(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: dict[str, Any] | None = None,
    *,
    worker: Worker,
    mode: str = Run.Mode.LEGACY,
    max_retries: int = 3,
    created_by: Any = None,
) -> tuple[Queued, Lease | None]:
    """As queue_one_time_job, but the run is this process's from its first moment: no worker can come in between.

    The caller does the work under the lease (see here.py). No lease where a live run already held the key.
    NotAllowed where a limit or pause keeps such a run from starting now.
    """
    brand, params, subject = checked(brand_id, job_type, parameters)
    with transaction.atomic():
        lock(CLAIM_LOCK)
        stops = stops_for(job_type, brand.pk if brand else None)
        queued = (
            None if stops else _queue(brand, job_type, params, subject, Job.Trigger.MANUAL, None, max_retries, created_by, mode)
        )
        if queued and queued.created:
            run, lease = take_lease(queued.run.pk, worker, now())
            queued = Queued(queued.job, run, created=True)
            return queued, lease
    if queued is None:
        raise NotAllowed(
            f"{get_type(job_type).label} cannot start here now: it is paused, or as many run as its limit allows."
            " Queue it instead."
        )
    return queued, None


# ---- shared ------------------------------------------------------------------------------------------------------------
def _brand(brand_id: UUID | str | None) -> Brand | None:
    if brand_id is None:
        return None
    try:
        return Brand.objects.get(pk=brand_id)
    except (Brand.DoesNotExist, ValidationError, ValueError, TypeError) as error:
        raise InvalidRequest(f"There is no brand {brand_id}.", {"brand": ["Unknown brand."]}) from error


def checked(
    brand_id: UUID | str | None, job_type: str, parameters: dict[str, Any] | None
) -> tuple[Brand | None, dict[str, Any], Subject]:
    handler = get_type(job_type)
    brand = _brand(brand_id)
    params = clean_parameters(handler.Params, parameters or {}, brand)
    return brand, params, handler.subject(brand, params)


def _new_job(
    brand: Brand | None,
    handler: JobType,
    params: dict[str, Any],
    subject: Subject,
    trigger: str,
    max_retries: int,
    created_by: Any,
    name: str | None = None,
) -> Job:
    return Job(
        brand=brand,
        job_type=handler.name,
        subject=subject.key,
        name=name or f"{handler.label} {subject.label}".strip()[:200],
        parameters=params,
        trigger_source=trigger,
        max_retries=max_retries,
        created_by=created_by,
    )


def _of_click(job: Job, key: str) -> dict[str, Any]:
    """What a one-time run has from its job."""
    estimate = get_type(job.job_type).estimate(job.brand, job.parameters)
    return {
        "dedupe_key": key,
        "trigger_source": job.trigger_source,
        "created_by": job.created_by,
        "cost_estimate": estimate.cost_usd if estimate else None,
    }


def _live(keys: Sequence[str]) -> dict[str, Run]:
    """The live run of each key that has one."""
    live = Run.objects.filter(dedupe_key__in=keys, status__in=LIVE)
    if not live.exists():  # as nearly always: the rest is not even composed
        return {}
    found = live.select_related("job", "created_by")
    return {run.dedupe_key: run for run in found if run.dedupe_key}


def _queue(
    brand: Brand | None,
    job_type: str,
    params: dict[str, Any],
    subject: Subject,
    trigger: str,
    name: str | None,
    max_retries: int,
    created_by: Any,
    mode: str = Run.Mode.WORKER,
) -> Queued:
    """Job and run in one savepoint, so that the loser of a race leaves nothing. If the winner ended meanwhile, try again."""
    key = dedupe_key(job_type, brand.pk if brand else None, subject.key)
    for _ in range(10):
        if live := _live([key]).get(key):
            return Queued(live.job, live, created=False)
        job = _new_job(brand, get_type(job_type), params, subject, trigger, max_retries, created_by, name)
        try:
            with transaction.atomic():
                at = wake_workers()
                job.save(force_insert=True)
                run = insert_run(job, due_at=at, at=at, subject=subject, mode=mode, **_of_click(job, key))
            return Queued(job, run, created=True)
        except IntegrityError as error:
            if "run_one_live_per_key" not in str(error) and "dedupe_key" not in str(error):
                raise
    raise NotAllowed("The same work starts and ends faster than it can be queued. Try again.")
