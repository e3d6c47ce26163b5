"""What tests of shared scrapes do again and again."""

from datetime import timedelta

from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from competitors.sandbox.server import Sandbox
from pipeline import api
from pipeline.engine.workers.inline import work_one
from pipeline.models import Run, UpstreamRun
from tests.processes import until

FEW = {"include_keywords": False, "include_helpful": False}


def asked(listing: CompetitorAmazonUrl, **more) -> dict:
    return {"competitor_amazon_url_id": str(listing.pk), **FEW, **more}


def click(listing: CompetitorAmazonUrl, *, reuse: bool = False, pay: bool = True, **options) -> Run:
    brand = listing.competitor.brand_id
    return api.queue_one_time_job(brand, "amazon_review_scrape", asked(listing, **options), reuse=reuse, pay=pay).run


def work_off(*runs: Run, seconds: float = 60) -> None:
    """Whatever is live is worked on, without waiting for its due time, until these runs are over."""

    def over() -> bool:
        for run in runs:
            run.refresh_from_db()
        if not any(run.is_live for run in runs):
            return True
        Run.objects.filter(status__in=["pending", "waiting"]).update(due_at=timezone.now() - timedelta(seconds=1))
        while work_one():
            pass
        return False

    until(over, f"the end of {runs}: {[run.error_message for run in runs]}", seconds)


def made_older(run: Run, age: timedelta) -> None:
    """As if the run, and what it fetched, were that much older."""
    for model, of, fields in (
        (Run, {"pk": run.pk}, ("created_at", "started_at", "completed_at")),
        (UpstreamRun, {"run": run}, ("intent_at", "started_at", "finished_at")),
    ):
        for row in model.objects.filter(**of):
            model.objects.filter(pk=row.pk).update(**{name: getattr(row, name) - age for name in fields})


def joined(listing: CompetitorAmazonUrl, other: CompetitorAmazonUrl) -> tuple[Run, Run]:
    """A run that pays, and one that waits for it."""
    payer = click(listing)
    work_one()
    joiner = click(other)
    work_one()
    joiner.refresh_from_db()
    return payer, joiner


def first_start_fails(sandbox: Sandbox) -> None:
    sandbox.account.faults.arm("end_as", value="FAILED", count=1)


def let_end(sandbox: Sandbox) -> None:
    sandbox.account.faults.clear()
    sandbox.account.finish()
