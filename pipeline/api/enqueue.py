"""How one-time work is queued: a job and its run, or the live run that already does the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction

from ..contract.errors import InvalidRequest, NotAllowed
from ..contract.job_type import JobType, Subject
from ..contract.parameters import clean_again, clean_parameters
from ..contract.registry import get_type
from ..engine.database import CLAIM_LOCK, Composed, Given, lock, now, wake_workers
from ..engine.lifecycle.lease import Lease
from ..engine.queue import new_work
from ..engine.queue.claim import take_lease
from ..engine.queue.stops import stops_for
from ..engine.scheduling.place import PLACE_GAP, dedupe_key, new_run, of_subject, order_at_for
from ..models import Brand, Job, Run, Worker
from ..people import require_spend
from ..states import RunStatus

BATCH = 500  # runs per transaction
MOST_ON_THE_WEB_SERVER = 4  # at once: each has a thread, and now and then a database connection that pages need too


@dataclass(frozen=True)
class Queued:
    """`created` is False if a live run already had the key: then `run` is that one, and nothing was added."""

    job: Job
    run: Run
    created: bool


@dataclass(frozen=True)
class Request:
    """One-time work that somebody asks for. Its parameters are already checked."""

    handler: JobType
    brand: Brand | None
    parameters: dict[str, Any]
    subject: Subject
    trigger_source: str = Job.Trigger.MANUAL
    name: str | None = None
    max_retries: int = 3
    created_by: Any = None
    mode: str = Run.Mode.WORKER
    reuse: str = Run.Reuse.LIVE

    @property
    def brand_id(self) -> UUID | None:
        return self.brand.pk if self.brand else None

    @cached_property
    def key(self) -> str:
        return dedupe_key(self.handler.name, self.brand_id, self.subject.key)

    def new_job(self) -> Job:
        return Job(
            brand=self.brand,
            job_type=self.handler.name,
            trigger_source=self.trigger_source,
            max_retries=self.max_retries,
            created_by=self.created_by,
            **self.of_this_job(),
        )

    def of_this_job(self) -> dict[str, Any]:
        """The fields that other jobs of the same call have other values for."""
        name = self.name or f"{self.handler.label} {self.subject.label}".strip()[:200]
        return {"subject": self.subject.key, "name": name, "parameters": self.parameters}

    def new_run(self, job: Job) -> Run:
        """Not saved, without its times and its place."""
        return new_run(
            job,
            self.subject,
            mode=self.mode,
            reuse=self.reuse,
            trigger_source=self.trigger_source,
            created_by=self.created_by,
            **self.of_this_run(),
        )

    def of_this_run(self) -> dict[str, Any]:
        """The fields that other runs of the same call have other values for, besides those of subject and job."""
        estimate = self.handler.estimate(self.brand, self.parameters)
        return {"dedupe_key": self.key, "cost_estimate": estimate.cost_usd if estimate else None}


def queue_one_time_job(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: dict[str, Any] | None = None,
    *,
    trigger_source: str = Job.Trigger.MANUAL,
    name: str | None = None,
    max_retries: int = 3,
    created_by: Any = None,
    reuse: bool = False,
    pay: bool = True,
) -> Queued:
    """Queue work for a brand (None: the platform). While a run of the same subject is live, a second call returns that run.

    A run whose data is being fetched for another run waits for that, and is free. `reuse`: it may also use what was fetched
    within the job type's `reuse_within`. `pay` False, with `reuse`: where there is no such data, it fails instead of paying.
    NotAllowed unless `created_by` has the right to spend there.
    """
    options = {"trigger_source": trigger_source, "name": name, "max_retries": max_retries, "created_by": created_by}
    return _queue(Request(*validated(brand_id, job_type, parameters, created_by), reuse=_reuse(reuse, pay), **options))


def queue_many(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: Sequence[dict[str, Any]],
    *,
    trigger_source: str = Job.Trigger.MANUAL,
    max_retries: int = 3,
    created_by: Any = None,
    reuse: bool = False,
) -> list[Queued | InvalidRequest]:
    """queue_one_time_job for many parameters, in a few statements. The answers have the order of `parameters`."""
    options = {"trigger_source": trigger_source, "max_retries": max_retries, "created_by": created_by, "reuse": _reuse(reuse)}
    handler, brand = get_type(job_type), find_brand(brand_id)
    require_spend(created_by, brand.pk if brand else None, job_type)
    answers: list[str | InvalidRequest] = []  # the key of each, or what is wrong with it
    wanted: dict[str, Request] = {}
    form = handler.Params({}, brand=brand)
    for given in parameters:
        try:
            params = clean_again(form, given)
            request = Request(handler, brand, params, _open_subject(handler, brand, params), **options)
        except InvalidRequest as error:
            answers.append(error)
            continue
        wanted.setdefault(request.key, request)
        answers.append(request.key)
    found: dict[str, Queued] = {}
    every = list(wanted.values())
    for start in range(0, len(every), BATCH):
        found |= _queue_batch(every[start : start + BATCH])
    said: list[Queued | InvalidRequest] = []
    for answer in answers:
        if isinstance(answer, str):
            said.append(found[answer])
            found[answer] = replace(found[answer], created=False)  # a second request for the same gets the same run
        else:
            said.append(answer)
    return said


def take_at_once(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: dict[str, Any] | None = None,
    *,
    worker: Worker,
    mode: str,
    created_by: Any = None,
    reuse: bool = False,
    pay: bool = True,
) -> tuple[Queued, Lease | None]:
    """As queue_one_time_job, but this process takes the run in the same transaction, so no worker can.

    The caller does the work under the lease. No lease if a live run already had the key, or if the web server already does as
    much as it can: then the run is queued for the workers. NotAllowed if a limit or pause keeps such a run from starting
    now, or if `created_by` has no right to spend.
    """
    asked = validated(brand_id, job_type, parameters, created_by)
    request = Request(*asked, mode=mode, created_by=created_by, reuse=_reuse(reuse, pay))
    with transaction.atomic():
        at = lock(CLAIM_LOCK)
        if not stops_for(job_type, request.brand_id, at):
            if mode == Run.Mode.LEGACY and _on_the_web_server() >= MOST_ON_THE_WEB_SERVER:
                return _queue(replace(request, mode=Run.Mode.WORKER)), None
            queued = _queue(request)
            if not queued.created:
                return queued, None
            run, lease = take_lease(queued.run.pk, worker, now())
            return Queued(queued.job, run, created=True), lease
    raise NotAllowed(f"{request.handler.label} cannot start here now: it is paused or its limit is reached. Queue it instead.")


def take_queued(job_type: str, worker: Worker) -> Lease | None:
    """This process takes the queued run of the type that is first in line. None if none is due, or may start now."""
    with transaction.atomic():
        at = lock(CLAIM_LOCK)
        due = Run.objects.filter(job_type=job_type, status=RunStatus.PENDING, due_at__lte=at, dedupe_key__isnull=False)
        # Locked: on PostgreSQL a worker may claim without the claim's lock.
        for run in due.in_queue_order().select_for_update(skip_locked=True):
            if not stops_for(job_type, run.brand_id, at):
                return take_lease(run.pk, worker, now())[1]
    return None


def _on_the_web_server() -> int:
    return Run.objects.filter(status=RunStatus.RUNNING, worker__kind=Worker.Kind.WEB).count()


def validated(
    brand_id: UUID | str | None, job_type: str, parameters: dict[str, Any] | None, by: Any
) -> tuple[JobType, Brand | None, dict[str, Any], Subject]:
    """Type, brand, parameters and subject of the request. NotAllowed if `by` may not spend, InvalidRequest if they are wrong."""
    handler = get_type(job_type)
    brand = find_brand(brand_id)
    require_spend(by, brand.pk if brand else None, job_type)  # first: what is wrong with a foreign brand's parameters is a secret
    params = clean_parameters(handler.Params, parameters or {}, brand)
    return handler, brand, params, _open_subject(handler, brand, params)


def _open_subject(handler: JobType, brand: Brand | None, params: dict[str, Any]) -> Subject:
    """InvalidRequest if the brand or the subject is archived: nothing new starts for it until it is restored."""
    subject = handler.subject(brand, params)
    if words := (brand.closed if brand and not handler.personal else "") or subject.closed:
        raise InvalidRequest(words)
    return subject


def _reuse(reuse: bool, pay: bool = True) -> str:
    if not pay and not reuse:
        raise ValueError("A run that may not pay must reuse.")
    return Run.Reuse.ONLY if not pay else Run.Reuse.DONE if reuse else Run.Reuse.LIVE


def find_brand(brand_id: UUID | str | None) -> Brand | None:
    if brand_id is None:
        return None
    try:
        (found,) = _brand_by_key().rows(key=Brand._meta.pk.to_python(brand_id))
    except (ValidationError, ValueError, TypeError) as error:
        raise InvalidRequest(f"There is no brand {brand_id}.", {"brand": ["Unknown brand."]}) from error
    return Brand.from_db(DEFAULT_DB_ALIAS, [field.attname for field in Brand._meta.concrete_fields], found)


@cache
def _brand_by_key() -> Composed:
    return Composed(Brand.objects.filter(pk=Given("key", Brand._meta.pk)), prepared=True)


def _queue(request: Request) -> Queued:
    """Job and run, or the live run that has the key. If that has ended by the time it is looked up, try again."""
    for _ in range(10):
        job = request.new_job()
        run = request.new_run(job)
        if new_work.insert(job, run):
            return Queued(job, run, created=True)
        if live := _live_by_key([request.key]).get(request.key):
            return Queued(live.job, live, created=False)
    raise NotAllowed("The same work was queued by others at the same moment. Try again.")


def _queue_batch(requests: Sequence[Request]) -> dict[str, Queued]:
    """The result by key, for requests of one brand and type with different keys. One transaction."""
    found = {key: Queued(run.job, run, created=False) for key, run in _live_by_key(request.key for request in requests).items()}
    missing = [request for request in requests if request.key not in found]
    if not missing:
        return found
    try:
        with transaction.atomic():
            jobs, new = _rows(missing, wake_workers())
            new_work.insert_many(jobs, new)
        return found | {str(run.dedupe_key): Queued(run.job, run, created=True) for run in new}
    except IntegrityError:  # somebody queued one of them meanwhile: queue them one by one
        return found | {request.key: _queue(request) for request in missing}


def _rows(requests: Sequence[Request], at: datetime) -> tuple[list[Job], list[Run]]:
    """A job and a run for each, not saved yet, copied from the first."""
    like = requests[0].new_job()
    its = requests[0].new_run(like)
    its.due_at = its.created_at = its.asked_at = at
    first = order_at_for(like.job_type, like.brand_id, at)
    jobs, runs = [], []
    for number, request in enumerate(requests):
        job, run = new_work.copied(like), new_work.copied(its)
        vars(job).update(request.of_this_job())
        vars(run).update(of_subject(request.subject), parameters=request.parameters, **request.of_this_run())
        run.order_at, run.progress, run.counts = first + number * PLACE_GAP, {}, {}  # a dict of its own each
        jobs.append(job)
        runs.append(run)
    return jobs, runs


def _live_by_key(keys: Iterable[str]) -> dict[str, Run]:
    """The live run of each key that has one."""
    live = Run.objects.holding(*keys)
    if not live.exists():  # nearly always: skip the larger query
        return {}
    return {str(run.dedupe_key): run for run in live.select_related("job", "created_by")}
