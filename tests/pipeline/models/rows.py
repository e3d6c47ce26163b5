"""One row of every model, for tests of all their columns."""

from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import models
from django.utils import timezone

from competitors.models import (
    AdAccount,
    AdClassification,
    AdGap,
    AdMedia,
    AdMonth,
    AdPage,
    AdReading,
    BrandAd,
    BrandSubreddit,
    LandingPage,
    Media,
    PersonaQuote,
    TemplateCategory,
    TemplateDecision,
    TemplateNiche,
)
from pipeline import api
from pipeline.models import (
    ActorPrice,
    Attempt,
    BulkAction,
    BulkItem,
    DatasetStatus,
    DayTally,
    DayTotal,
    Event,
    FailedRun,
    Incident,
    MaxAge,
    Notification,
    NotificationChannel,
    NotificationRule,
    Outage,
    Pause,
    RawPage,
    RejectedItem,
    Retention,
    Reuse,
    RunLog,
    ScheduleRule,
    SourceState,
    Step,
    Trouble,
    Worker,
)
from pipeline.models.fields import ForeignCharField, ForeignJSONField, ForeignTextField
from tests.factories import make_ad, make_candidate, make_library, make_listing, make_review, make_upstream
from tests.performance_rows import make_account_day, make_ad_day, make_demographic_day
from tests.reddit_rows import make_comment, make_finding, make_persona, make_post, make_quote, make_research

DOORS = (ForeignTextField, ForeignCharField, ForeignJSONField)


def text_columns() -> list[tuple[type[models.Model], Any]]:
    """Every column of ours that holds text or JSON, with its model."""
    ours = [model for app in ("pipeline", "competitors") for model in apps.get_app_config(app).get_models()]
    kinds = (models.TextField, models.CharField, models.JSONField)
    return [(model, field) for model in ours for field in model._meta.concrete_fields if isinstance(field, kinds)]


def door_columns() -> list[tuple[type[models.Model], Any]]:
    return [(model, field) for model, field in text_columns() if isinstance(field, DOORS)]


def row_of_every_model() -> dict[type[models.Model], models.Model]:
    now = timezone.now()
    listing = make_listing()
    review = make_review(listing)
    run = api.queue_one_time_job(listing.competitor.brand_id, "toy", {}).run
    upstream = make_upstream(run)
    page = {"offset": 0, "next_offset": 1, "items": 1, "payload": b""}
    ad = make_ad(listing.competitor)
    account = AdAccount.objects.create(brand=listing.competitor.brand, account_id="act_1")
    brand_ad = BrandAd.objects.create(ad_account=account, first_seen_at=now, last_seen_at=now)
    persona, research, post = make_persona(listing.brand), make_research(listing.brand), make_post(listing.brand)
    comment, quote = make_comment(post), make_quote(post)
    candidate = make_candidate()
    assert candidate.library_ad
    rows: list[models.Model] = [
        listing,
        listing.competitor,
        listing.competitor.brand,
        review,
        make_library(listing.competitor),
        ad,
        account,
        brand_ad,
        make_ad_day(account, "an-ad-of-a-day", now.date()),
        AdMonth.objects.create(ad_account=account, ad_id="an-ad-of-a-month", month=now.date().replace(day=1), days=1),
        make_account_day(account, now.date()),
        make_demographic_day(account, "an-ad-of-a-day", now.date(), "25-34 female"),
        AdGap.objects.create(ad_account=account, part="ads", what="Ad 1", since=now),
        AdClassification.objects.create(brand_ad=brand_ad, classified_at=now),
        AdMedia.objects.create(competitor_ad=ad, role="picture"),
        Media.objects.create(sha256="0" * 64, kind="image", mime="image/png", bytes=1),
        AdReading.objects.create(competitor=listing.competitor, run=run, read_at=now),
        AdPage.objects.create(competitor=listing.competitor, name="Barkwell"),
        LandingPage.objects.create(competitor=listing.competitor, first_seen_at=now, last_seen_at=now),
        candidate.library_ad,
        candidate,
        TemplateCategory.objects.create(name="Offer"),
        TemplateNiche.objects.create(name="Pets"),
        TemplateDecision.objects.create(candidate=candidate, batch="0" * 32, status="approved", version=1),
        persona,
        research,
        post,
        make_finding(post, research),
        comment,
        quote,
        BrandSubreddit.objects.create(brand=listing.brand, name="dogs"),
        PersonaQuote.objects.create(persona=persona, quote=quote),
        run,
        run.job,
        upstream,
        Attempt.objects.create(run=run, number=1, lease_token="0" * 32, started_at=now),
        DatasetStatus.objects.create(dataset_key="toys"),
        MaxAge.objects.create(dataset_key="toys", at=now),
        Event.objects.create(kind="test", message=""),
        RawPage.objects.create(upstream_run=upstream, **page),
        RejectedItem.objects.create(run=run, upstream_run=upstream, reason="", item={}),
        Reuse.objects.create(run=run, step="start", joined_at=now),
        RunLog.objects.create(run=run, seq=99, at=now, message=""),
        Retention.objects.create(next_at=now),
        Outage.objects.create(job_type="toy", reason="", since=now, probe_at=now),
        incident := Incident.objects.create(job_type="toy", kind="PermanentError", message="", first_seen=now, last_seen=now),
        FailedRun.objects.create(incident=incident, run=run, job_type="toy", failed_at=now),
        bulk := BulkAction.objects.create(
            token=uuid4(), kind="cancel", query="brand=acme", count=1, frozen_at=now, created_at=now, finished_at=now
        ),
        BulkItem.objects.create(action=bulk, run=run, number=run.pk, was="pending"),
        DayTally.objects.create(day=now.date(), job_type="toy"),
        DayTotal.objects.create(day=now.date(), job_type="toy"),
        Pause.objects.create(job_type="toy"),
        channel := NotificationChannel.objects.create(name="a", kind="email", address="a@x.test", shown="a"),
        rule := NotificationRule.objects.create(event="failed", channel=channel),
        Notification.objects.create(channel=channel, phase="test", title="a", created_at=now),
        Trouble.objects.create(rule=rule, key="a", title="a", since=now),
        ScheduleRule.objects.create(job_type="toy", cadence="0 3 * * *"),
        SourceState.objects.create(source="apify"),
        ActorPrice.objects.create(source="apify", actor="a", next_read_at=now),
        Step.objects.create(run=run, name="a", result={}),
        Worker.objects.create(host="a", pid=1, started_at=now, last_seen_at=now),
    ]
    return {type(row): row for row in rows}
