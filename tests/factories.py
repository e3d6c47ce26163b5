"""Rows that tests start with."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.text import slugify

from competitors.models import (
    AmazonReview,
    Competitor,
    CompetitorAd,
    CompetitorAdLibrary,
    CompetitorAmazonUrl,
    LibraryAd,
    Media,
    TemplateCandidate,
)
from pipeline import api
from pipeline.models import Brand, Run, UpstreamRun
from pipeline.people import assign, limit_to


def make_user(name: str = "person", *permissions: str) -> Any:
    """A user with only these permissions, each "app.codename"."""
    user = get_user_model().objects.create_user(name, password="pass")
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def make_person(name: str, role: str, *brands: Brand) -> Any:
    """A user with this role; with `brands`, limited to them."""
    user = get_user_model().objects.create_user(name, password="pass")
    assign(user, role)
    if brands:
        limit_to(user, brands)
    return user


def make_brand(name: str = "Northpaw") -> Brand:
    return Brand.objects.create(name=name, slug=slugify(name))


def make_competitor(brand: Brand | None = None, name: str = "Barkwell", **fields: Any) -> Competitor:
    return Competitor.objects.create(brand=brand or make_brand(), name=name, **fields)


def make_listing(
    competitor: Competitor | None = None, *, asin: str = "B09XK4T2LM", domain_code: str = "com", **fields: Any
) -> CompetitorAmazonUrl:
    fields.setdefault("amazon_url", f"https://www.amazon.{domain_code}/dp/{asin}")
    return CompetitorAmazonUrl.objects.create(
        competitor=competitor or make_competitor(), asin=asin, domain_code=domain_code, **fields
    )


def make_review(listing: CompetitorAmazonUrl, **fields: Any) -> AmazonReview:
    now = timezone.now()
    values: dict[str, Any] = {
        "review_id": "R1AAAAAAAA",
        "asin": listing.asin,
        "domain_code": listing.domain_code,
        "rating": 5,
        "title": "Good",
        "body": "It works.",
        "author": "A. B.",
        "review_date": date(2026, 5, 4),
        "verified_purchase": True,
        "helpful_votes": 2,
        "first_seen_at": now,
        "last_seen_at": now,
    }
    return AmazonReview.objects.create(**values | fields)


AD_PAGE = (
    "https://www.facebook.com/ads/library/?active_status=active&ad_type=all&country=ALL&media_type=all"
    "&search_type=page&view_all_page_id=248734494998159"
)


def make_library(competitor: Competitor | None = None, url: str = AD_PAGE) -> CompetitorAdLibrary:
    return CompetitorAdLibrary.objects.create(competitor=competitor or make_competitor(), url=url)


def make_ad(competitor: Competitor, ad_archive_id: str = "952254996289312", **fields: Any) -> CompetitorAd:
    now = timezone.now()
    values: dict[str, Any] = {
        "page_name": "Barkwell",
        "started_on": date(2026, 5, 4),
        "body": "Calm dogs, happy homes.",
        "title": "Calming chews",
        "link_url": "https://barkwell.example/chews",
        "call_to_action": "Shop now",
        "display_format": "IMAGE",
        "platforms": ["FACEBOOK"],
        "first_seen_at": now,
        "last_seen_at": now,
    }
    return CompetitorAd.objects.create(competitor=competitor, ad_archive_id=ad_archive_id, **values | fields)


def make_media(content: bytes, mime: str = "image/gif") -> Media:
    """A stored picture, or a video by its type, with these bytes."""
    sha256 = hashlib.sha256(content).hexdigest()
    name = f"{sha256[:2]}/{sha256}.{mime.rpartition('/')[2]}"
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(content))
    known = {"kind": mime.partition("/")[0], "mime": mime, "bytes": len(content), "file": name}
    return Media.objects.get_or_create(sha256=sha256, defaults=known)[0]


def make_library_ad(ad_archive_id: str = "952254996289312", **fields: Any) -> LibraryAd:
    now = timezone.now()
    values = {"title": "Calming chews", "page_name": "Barkwell", "started_on": date(2026, 5, 4), "is_active": True}
    times = {"first_seen_at": now, "last_seen_at": now, "last_checked_at": now}
    return LibraryAd.objects.create(ad_archive_id=ad_archive_id, **times | values | fields)


def make_candidate(ad_archive_id: str = "952254996289312", *, media: Media | None = None, **fields: Any) -> TemplateCandidate:
    """A picture of an ad that waits for review. Its file holds the ad's id."""
    ad = make_library_ad(ad_archive_id, **fields)
    media = media or make_media(ad_archive_id.encode())
    return TemplateCandidate.objects.create(library_ad=ad, media=media)


def make_upstream(run: Run, upstream_id: str = "HG7ML7M8z78YcAPEB") -> UpstreamRun:
    """The ledger row of a run that is running upstream."""
    now = timezone.now()
    known = {"run": run, "source": "apify", "step": "start", "intent": 1, "tag": upstream_id, "upstream_id": upstream_id}
    times = {"intent_at": now, "started_at": now, "deadline": now + timedelta(hours=1)}
    return UpstreamRun.objects.create(**known, **times, status="running", cost_estimate=1, cost_cap=2, max_items=10)


def make_orphan(listing: CompetitorAmazonUrl | None = None, upstream_id: str = "HG7ML7M8z78YcAPEB") -> Run:
    """A failed run whose upstream run is still running."""
    listing = listing or make_listing()
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    run = api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run
    make_upstream(run, upstream_id)
    Run.objects.filter(pk=run.pk).update(status="failed", completed_at=timezone.now(), error_message="Five workers died on it.")
    run.refresh_from_db()
    return run


def read_items(path: Path) -> list[Any]:
    """Recorded items, one per line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
