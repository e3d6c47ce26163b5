"""Fills the tables of the pipeline with what years of operation leave: every kind of subject, ended and live runs, incidents."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Max

from benchmarks import load
from competitors.models import AdAccount, Competitor, CompetitorAdLibrary, CompetitorAmazonUrl, RedditResearch
from competitors.reading.ad_library import clean_address
from pipeline.contract.registry import find_type, offered_types
from pipeline.engine.incidents.days import count_days
from pipeline.models import (
    Attempt,
    Brand,
    ConcurrencyLimit,
    DatasetStatus,
    Event,
    FailedRun,
    Incident,
    Job,
    Pause,
    Run,
    RunLog,
    ScheduleRule,
    UpstreamRun,
    Worker,
)

NOW = datetime.now(UTC)
FAR = timedelta(days=1)  # leases and workers stay alive for as long as it is measured
DAYS = 90  # over which the runs are spread
COMPETITORS, LISTINGS = 5, 2  # of each brand, of each competitor
BEHIND = "pipeline_run AS r"
ENDS = "cccfccccdcccxc"  # of the last runs of a subject


@dataclass(frozen=True)
class Amount:
    brands: int
    runs: int
    live: int
    incidents: int
    failed_runs: int  # of all incidents


FEW = Amount(brands=3, runs=600, live=40, incidents=3, failed_runs=12)
MANY = Amount(brands=300, runs=1_000_000, live=5_000, incidents=30, failed_runs=3_000)


def fill(amount: Amount) -> None:
    """Replaces all rows but the people."""
    load.empty(Brand)
    load.empty(Job, Run, Incident, Worker)
    with load.unchecked():
        _fill(amount)
    load.settle()
    count_days(NOW)
    load.settle()


def _fill(amount: Amount) -> None:
    brands = _brands(amount.brands)
    _subjects(brands)
    jobs = _jobs(brands)
    _ended(amount.runs // len(jobs))
    _live(jobs[: amount.live])
    _incidents(amount)
    _freshness(brands)
    ConcurrencyLimit.objects.bulk_create(
        [
            ConcurrencyLimit(source="apify", max_running=100),
            *(ConcurrencyLimit(job_type=one.name, max_running=50) for one in offered_types()),
        ]
    )
    Pause.objects.bulk_create(Pause(brand=brand, reason="New price list.") for brand in brands[:2])


def minutes_ago(count: str) -> str:
    """That many minutes before now; the count is an SQL expression."""
    if connection.vendor == "postgresql":
        return f"TIMESTAMPTZ '{NOW:%Y-%m-%d %H:%M:%S+00}' - ({count}) * INTERVAL '1 minute'"
    return f"datetime('{NOW:%Y-%m-%d %H:%M:%S}', -({count}) || ' minutes')"


def _brands(count: int) -> list[Brand]:
    return Brand.objects.bulk_create(Brand(name=f"Brand {number}", slug=f"brand-{number}") for number in range(count))


def _subjects(brands: list[Brand]) -> None:
    """Listings and ad libraries of competitors, an ad account and a research of each brand."""
    competitors = Competitor.objects.bulk_create(
        Competitor(brand=brand, name=f"Competitor {number} of {brand}") for brand in brands for number in range(COMPETITORS)
    )
    CompetitorAmazonUrl.objects.bulk_create(
        CompetitorAmazonUrl(
            competitor=competitor,
            asin=f"B{place * LISTINGS + number:09}",
            amazon_url=f"https://www.amazon.com/dp/B{place * LISTINGS + number:09}",
            product_title=f"Calming chews, flavor {number}",
        )
        for place, competitor in enumerate(competitors)
        for number in range(LISTINGS)
    )
    address = "https://www.facebook.com/ads/library/?view_all_page_id={}&country=ALL"
    CompetitorAdLibrary.objects.bulk_create(
        CompetitorAdLibrary(competitor=competitor, url=clean_address(address.format(10_000 + place)))
        for place, competitor in enumerate(competitors)
    )
    shared = {"currency": "USD", "time_zone": "UTC", "token_state": "valid"}
    AdAccount.objects.bulk_create(
        AdAccount(brand=brand, account_id=f"act_{place}", name=f"{brand}, US", **shared) for place, brand in enumerate(brands)
    )
    for brand in brands:
        RedditResearch.objects.create(brand=brand, name="Thunder", search_queries=["thunder", "fireworks"], subreddits=["dogs"])


def _jobs(brands: list[Brand]) -> list[Job]:
    """A daily schedule of each subject; those of two types follow their brand's rule."""
    ruled = [one.name for one in offered_types()][:2]
    rules = ScheduleRule.objects.bulk_create(
        ScheduleRule(brand=brand, job_type=name, cadence="0 6 * * *") for brand in brands for name in ruled
    )
    rule_of = {(rule.brand_id, rule.job_type): rule for rule in rules}
    number: dict[Any, int] = {brand.pk: place for place, brand in enumerate(brands)}
    every = [(brand_id, one, subject) for one in offered_types() for brand_id, subject in one.subjects_of(brands)]
    every.sort(key=lambda one: (number[one[0]], one[1].name, one[2].label))
    return Job.objects.bulk_create(
        Job(
            brand_id=brand_id,
            job_type=handler.name,
            subject=subject.key,
            parameters=dict(subject.parameters),
            schedule_type=Job.Schedule.RECURRING,
            cron_expression="0 6 * * *",
            trigger_source=Job.Trigger.SCHEDULED,
            rule=rule_of.get((brand_id, handler.name)),
            rule_version=1,
        )
        for brand_id, handler, subject in every
    )


def _ended(each: int) -> None:
    """Runs of each schedule, the oldest first, every tenth by hand. One in 20 failed, one in 50 is doubted."""
    person = get_user_model().objects.first()
    job = f"(j.id - {Job.objects.earliest('pk').pk})"  # the same whatever the sequence has counted before
    failed, doubted, by_hand = f"(n + {job}) % 20 = 19", f"(n + {job}) % 50 = 7", "n % 10 = 0"
    ended = minutes_ago(f"({each} - n) * {DAYS * 1440 // max(each, 1)} + {job} % 1440 + 5")
    begun = minutes_ago(f"({each} - n) * {DAYS * 1440 // max(each, 1)} + {job} % 1440 + 5 + {job} % 9 + 3")
    load.insert(
        Run(
            job_type="",
            due_at=NOW,
            counts={"raw": 300, "new": 42, "changed": 3, "unchanged": 255},
            summary="42 new, 3 changed, 255 unchanged",
            cost_estimate=Decimal("0.40"),
            cost_actual=Decimal("0.35"),
        ),
        each,
        of="pipeline_job AS j",
        order="n",
        job_id="j.id",
        brand_id="j.brand_id",
        job_type="j.job_type",
        subject="j.subject",
        parameters="j.parameters",
        subject_label="'Calming chews ' || j.id",
        due_at=begun,
        order_at=begun,
        created_at=begun,
        asked_at=begun,
        started_at=begun,
        completed_at=ended,
        scheduled_for=f"CASE WHEN {by_hand} THEN NULL ELSE {begun} END",
        trigger_source=f"CASE WHEN {by_hand} THEN 'manual' ELSE 'scheduled' END",
        created_by_id=f"CASE WHEN {by_hand} THEN {person.pk if person else 'NULL'} END",
        status=f"CASE WHEN {failed} THEN 'failed' ELSE 'completed' END",
        verdict=f"CASE WHEN {failed} THEN '' WHEN {doubted} THEN 'suspicious' ELSE 'ok' END",
        error_message=f"CASE WHEN {failed} THEN 'The source asked us to slow down.' ELSE '' END",
    )
    load.insert(
        load.paid_start(NOW, deadline=NOW),
        1,
        of=BEHIND,
        run_id="r.id",
        tag="'tag' || r.id",
        upstream_id="'up' || r.id",
        intent_at="r.started_at",
        started_at="r.started_at",
        finished_at="r.completed_at",
    )
    attempt = Attempt(number=1, worker_label="box:1", lease_token=uuid4(), started_at=NOW, outcome="completed")
    load.insert(attempt, 1, of=BEHIND, run_id="r.id", started_at="r.started_at", ended_at="r.completed_at")
    load.insert(RunLog(at=NOW), 3, of=BEHIND, run_id="r.id", at="r.started_at", seq="n", message="'Page ' || n || ': 60 items'")
    queued = Event(at=NOW, kind="run.queued", message="Queued by hand.")
    load.insert(queued, 1, of=f"{BEHIND} WHERE r.trigger_source = 'manual'", run_id="r.id", job_id="r.job_id", at="r.created_at")


def _live(jobs: list[Job]) -> None:
    """Some at work, some upstream, many in line, some tried and failed, the others scheduled."""
    lasting = {"last_seen_at": NOW + FAR, "started_at": NOW}
    workers = Worker.objects.bulk_create(Worker(host="box", pid=pid, release="1.0", **lasting) for pid in range(1, 5))
    runs = [_live_run(job, place, workers) for place, job in enumerate(jobs)]
    Run.objects.bulk_create(runs)
    UpstreamRun.objects.bulk_create(
        UpstreamRun(
            run=run,
            source=handler.source,
            actor="someone/actor",
            step="start",
            intent=1,
            tag=f"live{run.pk}",
            upstream_id=f"live{run.pk}",
            status="running",
            intent_at=NOW - timedelta(minutes=5),
            started_at=NOW - timedelta(minutes=5),
            deadline=NOW + FAR,
            cost_estimate=Decimal("0.40"),
            cost_cap=2,
            max_items=1000,
            message="170 items so far.",
        )
        for run in runs
        if run.status == "waiting" and (handler := find_type(run.job_type))
    )


def _live_run(job: Job, place: int, workers: list[Worker]) -> Run:
    minutes = timedelta(minutes=place % 50)
    run = Run(
        job=job,
        brand_id=job.brand_id,
        job_type=job.job_type,
        subject=job.subject,
        parameters=job.parameters,
        subject_label=f"Calming chews {job.pk}",
        dedupe_key=f"live {job.pk}",
        trigger_source="scheduled",
        scheduled_for=NOW - minutes,
        due_at=NOW - minutes,
        order_at=NOW - minutes,
        created_at=NOW - minutes,
        asked_at=NOW - minutes,
        priority=Run.SCHEDULED,
        cost_estimate=Decimal("0.40"),
    )
    if place % 250 == 0:
        run.status, run.started_at, run.lease_token, run.lease_expires_at = "running", NOW - minutes, uuid4(), NOW + FAR
        run.worker, run.progress = workers[place // 250 % len(workers)], {"done": 7, "total": 12, "unit": "pages"}
    elif place % 18 in (1, 12):
        run.status, run.started_at, run.due_at, run.priority = "waiting", NOW - minutes, NOW + FAR, Run.WOKEN
    elif place % 18 == 2:
        run.attempt, run.due_at, run.error_message = 1, NOW + FAR, "The source asked us to slow down."
    elif place % 4 != 3:
        run.scheduled_for = run.due_at = run.order_at = NOW + FAR
    return run


def _incidents(amount: Amount) -> None:
    """Open ones, of which a few are put off; and as many that are over."""
    shared: dict[str, Any] = {"job_type": "amazon_review_scrape", "source": "apify", "kind": "TransientError", "count": 17}
    shared |= {"first_seen": NOW - timedelta(days=2), "last_seen": NOW, "message": "The source asked us to slow down. Wait."}
    rows = [Incident(**shared, cause=f"cause {number}") for number in range(amount.incidents)]
    rows += [Incident(**shared, cause=f"over {number}", state="resolved", resolved_at=NOW) for number in range(amount.incidents)]
    incidents = Incident.objects.bulk_create(rows)
    failed = Run.objects.filter(status="failed").order_by("-pk")[: 2 * amount.failed_runs]
    FailedRun.objects.bulk_create(
        FailedRun(
            incident=incident,
            run=run,
            job_type=run.job_type,
            brand_id=run.brand_id,
            subject=run.subject,
            failed_at=run.completed_at,
            over_at=NOW if incident.state == "resolved" else None,
        )
        for place, run in enumerate(failed)
        for incident in [incidents[place % len(incidents)]]
    )


def _freshness(brands: list[Brand]) -> None:
    """One in five subjects is late or stale, one in twenty was never fetched."""
    ended = Run.objects.filter(status__in=["completed", "failed"]).order_by()
    last = {
        (brand, name, subject): pk
        for brand, name, subject, pk in ended.values_list("brand_id", "job_type", "subject").annotate(last=Max("pk"))
    }
    rows: dict[Any, DatasetStatus] = {}
    for handler in offered_types():
        for place, (brand_id, subject) in enumerate(handler.subjects_of(brands)):
            before = last.get((brand_id, handler.name, subject.key), 0)
            for key in handler.datasets if place % 20 else ():
                rows[brand_id, key, subject.key] = DatasetStatus(
                    brand_id=brand_id,
                    dataset_key=key,
                    subject=subject.key,
                    last_success_at=NOW - handler.max_age * (place % 97 % 12) / 10,
                    last_attempt_at=NOW,
                    last_status="completed",
                    last_run_id=before or None,
                    records_affected=300,
                    recent_ends="".join(f"{before + at - 13:010}{ENDS[(place + at) % 14]}" for at in range(14)),
                )
    DatasetStatus.objects.bulk_create(rows.values(), batch_size=2_000)
