"""Rows of three kinds: of an own brand, a foreign one, and no brand. Each has a word that tells of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from competitors.models import (
    AdAccount,
    AdMedia,
    AmazonReview,
    BrandAd,
    BrandSubreddit,
    Competitor,
    CompetitorAd,
    CompetitorAdLibrary,
    CompetitorAmazonUrl,
    LibraryAd,
    Media,
    Persona,
    PersonaQuote,
    RedditResearch,
    TemplateCandidate,
    TemplateCategory,
    TemplateDecision,
    TemplateNiche,
)
from pipeline import api
from pipeline.models import (
    Attempt,
    Brand,
    BulkAction,
    BulkItem,
    ConcurrencyLimit,
    DatasetStatus,
    DayTally,
    Event,
    FailedRun,
    Incident,
    Job,
    MaxAge,
    Notification,
    NotificationChannel,
    NotificationRule,
    Outage,
    Pause,
    RejectedItem,
    Run,
    RunLog,
    ScheduleRule,
    SourceState,
    Step,
    UpstreamRun,
    Worker,
)
from tests.factories import (
    make_ad,
    make_brand,
    make_candidate,
    make_competitor,
    make_library,
    make_listing,
    make_media,
    make_review,
    make_upstream,
)
from tests.reddit_rows import make_finding, make_persona, make_post, make_quote, make_research

SEARCH = "https://www.facebook.com/ads/library/?q=Quagga"
WORDS = {"own": "Ownbrand", "foreign": "Zebrafish", "none": "Quagga"}
RUN_IDS = {"own": 1001, "foreign": 987_654, "none": 876_543}


@dataclass
class World:
    """`rows`: by model and kind, one row. `sessions`: the cookies of who is signed in."""

    rows: dict[type, dict[str, Any]] = field(default_factory=dict)
    sessions: dict[tuple[str, bool], str] = field(default_factory=dict)  # by role and whether it is limited

    def __getitem__(self, model: type) -> dict[str, Any]:
        return self.rows.setdefault(model, {})


def betrays(kind: str, body: str) -> str:
    """What in the page tells of a row of the kind; '' if nothing does."""
    pk = RUN_IDS[kind]
    return next((word for word in (WORDS[kind], WORDS[kind].lower(), str(pk), f"{pk:,}") if word in body), "")


def build() -> World:
    world = World()
    media = make_media(b"GIF89a")
    library_ad = _templates(world, media)
    for kind, word in WORDS.items():
        brand = make_brand(word) if kind != "none" else None
        if brand:
            world[Brand][kind] = brand
            competitor = world[Competitor][kind] = make_competitor(brand, f"{word} rival")
            world[CompetitorAmazonUrl][kind] = make_listing(competitor, asin="B09XK4T2LM", product_title=f"{word} chews")
            world[CompetitorAdLibrary][kind] = make_library(competitor)
            ad = world[CompetitorAd][kind] = make_ad(competitor, title=f"{word} ad")
            account = world[AdAccount][kind] = AdAccount.objects.create(brand=brand, account_id="act_1", name=f"{word} ads")
            seen = {"first_seen_at": timezone.now(), "last_seen_at": timezone.now()}
            world[BrandAd][kind] = BrandAd.objects.create(ad_account=account, ad_id="1", name=f"{word} offer", **seen)
            AdMedia.objects.create(brand_ad=world[BrandAd][kind], role="video", status="failed", reason="slow")
            world[BrandSubreddit][kind] = BrandSubreddit.objects.create(brand=brand, name=f"{word}s")
            world[RedditResearch][kind] = make_research(brand, f"{word} research", search_queries=[f"{word} query"])
            post = make_post(brand, title=f"{word} post")
            make_finding(post, world[RedditResearch][kind])
            world[Persona][kind] = make_persona(brand, f"{word} owner")
            PersonaQuote.objects.create(persona=world[Persona][kind], quote=make_quote(post, f"I hate {word} and all of it"))
            where = {"name": f"{word} channel", "kind": "email", "address": f"{word}@x.test", "shown": f"{word}@x.test"}
            channel = world[NotificationChannel][kind] = NotificationChannel.objects.create(brand=brand, **where)
            told = {"brand": brand, "channel": channel, "event": "failed"}
            world[NotificationRule][kind] = NotificationRule.objects.create(**told)
            Notification.objects.create(**told, phase="opened", title=f"{word} failed", created_at=timezone.now())
            world[ConcurrencyLimit][kind] = ConcurrencyLimit.objects.create(brand=brand, job_type=word, max_running=3)
        world[ScheduleRule][kind] = ScheduleRule.objects.create(brand=brand, job_type=word, cadence="0 6 * * *")
        shows = {"competitor_ad": ad} if brand else {"library_ad": library_ad}
        if not brand:
            AdMedia.objects.create(library_ad=library_ad, role="video", status="failed", reason="slow")
        world[AdMedia][kind] = AdMedia.objects.create(**shows, role="picture", media=media, status="stored")
        _runs(world, kind, word, brand)
    other = make_listing(world[Competitor]["foreign"], asin="B0CQ7Z8M4T", product_title="Zebrafish bowl")
    shared = make_review(world[CompetitorAmazonUrl]["own"], last_run=world[Run]["foreign"])
    world.rows[AmazonReview] = {"own": shared, "foreign": make_review(other, review_id="RZEBRA", body="Zebrafish")}
    ConcurrencyLimit.objects.create(max_running=1)  # the foreign run uses it up
    world[Worker]["any"] = Worker.objects.create(host="box", pid=1, started_at=timezone.now(), last_seen_at=timezone.now())
    at = timezone.now()
    world[Outage]["none"] = Outage.objects.create(job_type="toy", reason="Nothing came.", since=at, probe_at=at)
    world[SourceState]["any"] = SourceState.objects.create(source="apify")
    Event.objects.create(kind="concurrencylimit", message="Concurrency limit “Zebrafish: 3” was set by root.")
    return world


def _templates(world: World, media: Media) -> LibraryAd:
    """What is of no brand. Returns the ad."""
    candidate = make_candidate(title="Quagga ad", media=media)
    candidate.name, candidate.category = "Quagga", TemplateCategory.objects.create(name="Quagga")
    candidate.save()
    world[TemplateCandidate]["none"] = candidate
    world[TemplateCategory]["none"], world[TemplateNiche]["none"] = (
        candidate.category,
        TemplateNiche.objects.create(name="Quagga"),
    )
    world[TemplateDecision]["none"] = TemplateDecision.objects.create(
        candidate=candidate, batch=uuid4(), status="approved", before=candidate.state(), version=7
    )
    assert candidate.library_ad
    return candidate.library_ad


def _runs(world: World, kind: str, word: str, brand: Brand | None) -> None:
    at = timezone.now()
    job = api.queue_one_time_job(brand.pk if brand else None, "toy", {"name": word.lower()}, name=f"{word} job").job
    Run.objects.filter(job=job).update(id=RUN_IDS[kind], subject_label=f"{word} toy", error_message=f"{word} failed")
    run = Run.objects.get(pk=RUN_IDS[kind])
    if kind == "foreign":
        Run.objects.filter(pk=run.pk).update(status="running", lease_token=uuid4(), lease_expires_at=at + timedelta(hours=1))
    kind_of_work = ("toy", {"name": f"{word}s"}) if brand else ("template_scrape", {"search_url": SEARCH})
    schedule = api.ensure_recurring_job(
        brand.pk if brand else None, kind_of_work[0], "0 3 * * *", kind_of_work[1], name=f"{word} plan"
    )
    world[Run][kind], world[Job][kind] = run, schedule
    world[Attempt][kind] = Attempt.objects.create(
        run=run, number=1, worker_label="box", lease_token=uuid4(), started_at=at, error=word
    )
    world[Step][kind] = Step.objects.create(run=run, name=word, result={})
    world[RunLog][kind] = RunLog.objects.create(run=run, seq=99, at=at, message=word)
    world[Event][kind] = Event.objects.create(kind="told", message=word, run=run)
    upstream = world[UpstreamRun][kind] = make_upstream(run, f"{word}123")
    world[RejectedItem][kind] = RejectedItem.objects.create(run=run, upstream_run=upstream, reason=word, item={})
    world[DatasetStatus][kind] = DatasetStatus.objects.create(brand=brand, dataset_key="toys", subject=word, last_run=run)
    seen = {"first_seen": at, "last_seen": at, "count": 1, "note": f"{word} note"}
    incident = world[Incident][kind] = Incident.objects.create(job_type="toy", kind=kind, message=f"{word} failed.", **seen)
    failed = {"run": run, "job_type": "toy", "brand": brand, "subject": word, "failed_at": at}
    world[FailedRun][kind] = FailedRun.objects.create(incident=incident, **failed)
    world[DayTally][kind] = DayTally.objects.create(day=at.date(), job_type="toy", brand=brand, failed=RUN_IDS[kind])
    shared, _ = Incident.objects.get_or_create(kind="shared", job_type="toy", defaults=seen | {"fixing": "trying"})
    Incident.objects.filter(pk=shared.pk).update(message=f"{word} failed.", canary=run, note=f"{word} note")
    FailedRun.objects.create(incident=shared, **failed)
    told = {"token": uuid4(), "kind": "cancel", "query": f"words={word}", "words": f"Words: {word}."}
    bulk = world[BulkAction][kind] = BulkAction.objects.create(**told, count=1, frozen_at=at, created_at=at)
    world[BulkItem][kind] = BulkItem.objects.create(action=bulk, run=run, number=run.pk, brand=brand, was="pending")
    world[MaxAge][kind] = MaxAge.objects.create(brand=brand, dataset_key="dolls", at=at)
    if brand and kind == "foreign":
        world[Pause][kind] = Pause.objects.create(brand=brand, job_type=word)
    if brand and kind == "own":
        world[Pause][kind] = Pause.objects.create(brand=brand, job_type="marble")
