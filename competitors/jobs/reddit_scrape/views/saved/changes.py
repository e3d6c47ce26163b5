"""A research and its scrapes: whether one is live, and what a changed form means for its schedule and its history."""

from typing import Any

from django.db import transaction

from competitors.models import RedditResearch
from competitors.steps import settings
from pipeline import queries
from pipeline.api import end_schedules_of, ensure_recurring_job, forget_freshness, restore_freshness, schedule_of
from pipeline.models import Run
from pipeline.states import JobStatus

from ...job import NAME


def live_scrape(research: RedditResearch, subject: str) -> Run | None:
    """The run that is queued, running or waiting for what the research asks, or asked, for."""
    return queries.live_run(NAME, research.brand_id, subject)


def save_research(research: RedditResearch, by: Any, before: str = "") -> None:
    """Save a new one, or a changed one that had the subject `before`.

    Its schedule goes with it. What was scraped for the same queries and subreddits counts as its own.
    """
    with transaction.atomic():
        settings.save(research, by)
        if before:
            _take_schedule_along(research, before)
        if research.subject == before:
            return
        if before:
            forget_freshness(NAME, research.brand_id, [before])
            RedditResearch.objects.filter(pk=research.pk).update(last_scraped_at=None)
        if runs := queries.good_runs_of(NAME, research.brand_id, research.subject, ""):
            restore_freshness(Run.objects.get(pk=runs[0].pk))


def _take_schedule_along(research: RedditResearch, before: str) -> None:
    job = schedule_of(research.brand, NAME, before)
    if not job:
        return
    moved, was = research.subject != before, job.status
    if moved:
        end_schedules_of(NAME, before, brand_id=research.brand_id, why="Its research asks for something else now.")
    ensure_recurring_job(
        research.brand_id,
        NAME,
        job.cron_expression,
        research.parameters(),
        enabled=was == JobStatus.ACTIVE if moved else None,
        name=job.name,
        time_zone=job.time_zone,
        max_runs=job.max_runs,
        max_retries=job.max_retries,
    )
