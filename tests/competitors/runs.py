"""Scrapes of a listing in any state, made by the product's own door and then put where the test needs them."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from pipeline import api
from pipeline.models import Run, UpstreamRun
from tests.factories import make_person


def queued(listing: CompetitorAmazonUrl, by: Any = None) -> Run:
    parameters = {"competitor_amazon_url_id": str(listing.pk), "asin": listing.asin}
    return api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters, created_by=by).run


def put(run: Run, **fields: Any) -> Run:
    Run.objects.filter(pk=run.pk).update(**fields)
    run.refresh_from_db()
    return run


def waiting(listing: CompetitorAmazonUrl, minutes_ago: int = 7) -> Run:
    began = timezone.now() - timedelta(minutes=minutes_ago)
    return put(queued(listing), status="waiting", started_at=began, progress={"done": 1840, "total": None, "unit": "items"})


def running(listing: CompetitorAmazonUrl, mode: str = "worker") -> Run:
    at = timezone.now()
    lease = {"lease_token": uuid4(), "lease_expires_at": at + timedelta(seconds=30)}
    return put(
        queued(listing), status="running", mode=mode, started_at=at, progress={"done": 22, "total": 31, "unit": "sweeps"}, **lease
    )


def retrying(listing: CompetitorAmazonUrl) -> Run:
    due = timezone.now() + timedelta(minutes=9, seconds=30)
    return put(queued(listing), attempt=1, due_at=due, error_message="HTTP 502 from Apify", started_at=timezone.now())


def ended(run: Run, status: str = "completed", summary: str = "42 new, 3 changed, 310 unchanged.", **fields: Any) -> Run:
    at = timezone.now()
    fields |= {"verdict": "ok"} if status == "completed" else {}
    return put(
        run,
        status=status,
        summary=summary,
        started_at=run.started_at or at,
        completed_at=at,
        progress={},
        lease_token=None,
        lease_expires_at=None,
        **fields,
    )


def paid(run: Run, estimate: str, actual: str | None) -> UpstreamRun:
    return UpstreamRun.objects.create(
        run=run,
        step="start",
        source="apify",
        actor="a",
        intent=run.upstream_runs.count() + 1,
        tag=uuid4().hex,
        fingerprint="f",
        status="succeeded",
        intent_at=timezone.now(),
        deadline=timezone.now(),
        cost_estimate=Decimal(estimate),
        cost_cap=Decimal(9),
        max_items=1,
        cost_actual=Decimal(actual) if actual else None,
        cost_settled=actual is not None,
    )


def rows_of(run: Run) -> tuple[str, Any]:
    """The words of the button that leads from the run's page to the rows that it brought, and the page there."""
    client = Client()
    client.force_login(get_user_model().objects.filter(username="reader").first() or make_person("reader", "admin"))
    body = client.get(run.get_absolute_url()).content.decode()
    found = re.search(r'id="see-rows" href="(.*?)">(.*?)</a>', body)
    assert found, "no button"
    assert '<ol class="preview"' in body
    answer = client.get(unescape(found[1]))
    assert answer.status_code == 200
    return found[2], answer
