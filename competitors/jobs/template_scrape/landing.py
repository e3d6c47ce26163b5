"""Saves one page of a search: the ads, how often and at which place each was seen, and what it shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from competitors.models import LibraryAd
from competitors.reading.ad_library import Ad, Rejected, parse_ad
from competitors.steps.ad_columns import CONTENT, UNREAD, ad_columns
from competitors.steps.ad_media import note
from pipeline.contract import PageResult, land
from pipeline.models import Run

SIGHTING = ("position", "best_position", "total", "page_likes", "last_seen_at")  # of every reading, changed or not
MARKS = {**UNREAD, "impressions": "no_impressions"}
LEFT_OUT = "videos_left_out"


def save_page(items: list[Any], run: Run, fetched: datetime, *, images_only: bool) -> PageResult:
    """In the transaction of the page. Rejected items are kept with the reason."""
    ads: dict[str, Ad] = {}
    rejected: list[tuple[str, Any]] = []
    marks: dict[str, str] = {}
    says_empty = again = 0
    for item in items:
        read = parse_ad(item)
        if isinstance(read, Rejected):
            rejected.append((read.reason, item))
            says_empty += read.says_empty
        elif images_only and _is_video_alone(read):
            marks[f"{read.ad_archive_id} left out"] = LEFT_OUT
        else:
            again += read.ad_archive_id in ads
            ads[read.ad_archive_id] = read
    became = _save_ads(list(ads.values()), run, fetched)
    marks |= {f"{ad.ad_archive_id} without {name}": MARKS[name] for ad in ads.values() for name in ad.unread}
    counts = {"raw": len(items), "duplicate": again, "rejected": len(rejected), "says_empty": says_empty}
    return PageResult({name: count for name, count in counts.items() if count}, rejected, {**became, **marks})


def _save_ads(ads: Sequence[Ad], run: Run, fetched: datetime) -> dict[str, str]:
    """What became of each ad, by land()'s key. Searches that find the same ads wait for each other, in the order of the key."""
    by_id = {ad.ad_archive_id: ad for ad in ads}
    known = {row.ad_archive_id: row for row in _locked(by_id)}
    landed = land(
        LibraryAd,
        [_row(ad) for ad in ads],
        key=("ad_archive_id",),
        content=("is_active", "impressions_text", *CONTENT),
        touch={"last_checked_at": fetched, "last_run_id": run.pk},
        first={"first_seen_at": fetched, "last_seen_at": fetched, "first_run_id": run.pk},
        age="last_checked_at",
    )
    rows = list(_locked(by_id))
    # A page that is read again, after a crash or in a replay, brings what was counted before.
    seen_before = [row for row in rows if _is_other_sighting(known.get(row.ad_archive_id), run, fetched)]
    LibraryAd.objects.filter(pk__in=[row.pk for row in seen_before]).update(times_seen=F("times_seen") + 1)
    newest = [row for row in rows if row.last_checked_at is None or row.last_checked_at <= fetched]
    for row in newest:
        _see(row, by_id[row.ad_archive_id], fetched)
    LibraryAd.objects.bulk_update(newest, SIGHTING, batch_size=200)
    shown = {row.pk: by_id[row.ad_archive_id] for row in newest}
    note("library_ad", {pk: ad.media for pk, ad in shown.items()}, {pk for pk, ad in shown.items() if ad.removed})
    return dict(landed.rows)


def _locked(by_id: dict[str, Ad]) -> Any:
    columns = ("ad_archive_id", "last_checked_at", "last_run_id", *SIGHTING)
    rows = LibraryAd.objects.filter(ad_archive_id__in=by_id).only(*columns)
    return rows.order_by("ad_archive_id").select_for_update(no_key=True)


def _is_other_sighting(known: LibraryAd | None, run: Run, fetched: datetime) -> bool:
    """Whether the row was there before this run, and has not been counted for it yet."""
    return (
        known is not None and known.last_run_id != run.pk and (known.last_checked_at is None or known.last_checked_at < fetched)
    )


def _see(row: LibraryAd, ad: Ad, fetched: datetime) -> None:
    row.position, row.total, row.page_likes = ad.position, ad.total, ad.page_likes
    places = [place for place in (row.best_position, ad.position) if place is not None]
    row.best_position = min(places, default=None)
    if ad.is_active is not False:
        row.last_seen_at = fetched


def _row(ad: Ad) -> dict[str, Any]:
    return {
        **ad_columns(ad),
        "is_active": ad.is_active,
        "impressions_lower": ad.impressions_lower,
        "impressions_upper": ad.impressions_upper,
        "impressions_text": ad.impressions_text,
    }


def _is_video_alone(ad: Ad) -> bool:
    roles = {link.role for link in ad.media}
    return "picture" not in roles and bool(roles & {"video", "poster"})
