"""Saves one page of a scrape: the ads, the landing pages that they lead to, and which ads the reading has seen."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from competitors.models import AdPage, Competitor, CompetitorAd, LandingPage
from competitors.models.ads import LONGEST_HOST, LONGEST_PAGE, LONGEST_PATH
from competitors.reading.ad_library import Ad, Rejected, host_and_path, parse_ad
from competitors.steps.ad_columns import CONTENT, UNREAD, ad_columns
from competitors.steps.ad_media import note
from pipeline.contract import PageResult, land
from pipeline.models import Run
from pipeline.words.foreign import identity

from .readings import locked, saw

Address = tuple[str, str]  # host and path


def save_page(competitor: Competitor, url: str, items: list[Any], offset: int, run: Run, fetched: datetime) -> PageResult:
    """In the transaction of the page. Rejected items are kept with the reason."""
    locked(competitor)
    ads: list[Ad] = []
    rejected: list[tuple[str, Any]] = []
    says_empty = 0
    for item in items:
        read = parse_ad(item)
        if isinstance(read, Rejected):
            rejected.append((read.reason, item))
            says_empty += read.says_empty
        else:
            ads.append(read)
    pages = _landing_pages(competitor, ads, fetched)
    names = sorted({ad.page_name[:LONGEST_PAGE] for ad in ads if ad.page_name})
    AdPage.objects.bulk_create([AdPage(competitor=competitor, name=name) for name in names], ignore_conflicts=True)
    landed = land(
        CompetitorAd,
        [_row(competitor, ad, pages) for ad in ads],
        key=("competitor_id", "ad_archive_id"),
        content=("status", *CONTENT),
        touch={"last_seen_at": fetched, "last_run_id": run.pk},
        first={"first_seen_at": fetched, "first_run_id": run.pk},
        age="last_seen_at",
    )
    _note_pictures(competitor, ads)
    saw(competitor, url, run, fetched, [ad.ad_archive_id for ad in ads], is_first=offset == 0)
    counts = {"raw": len(items), "duplicate": landed.duplicate, "rejected": len(rejected), "says_empty": says_empty}
    unread = {f"{ad.ad_archive_id} without {name}": UNREAD[name] for ad in ads for name in ad.unread if name in UNREAD}
    return PageResult({name: count for name, count in counts.items() if count}, rejected, {**landed.rows, **unread})


def _row(competitor: Competitor, ad: Ad, pages: dict[Address, int]) -> dict[str, Any]:
    """An ad that the list shows is active, unless it says that it is not."""
    status = CompetitorAd.Status.INACTIVE if ad.is_active is False else CompetitorAd.Status.ACTIVE
    of_us = {"competitor_id": competitor.pk, "status": status, "landing_page_id": pages.get(_address(ad))}
    return {**ad_columns(ad), **of_us}


def _note_pictures(competitor: Competitor, ads: list[Ad]) -> None:
    """The first picture of each ad, which of a video is its still."""
    first = {ad.ad_archive_id: next((link for link in ad.media if link.role != "video"), None) for ad in ads}
    removed = {ad.ad_archive_id for ad in ads if ad.removed}
    stored = CompetitorAd.objects.filter(competitor=competitor, ad_archive_id__in=first)
    ids = dict(stored.values_list("pk", "ad_archive_id"))
    shown = {pk: [link] if (link := first[ad]) else [] for pk, ad in ids.items()}
    note("competitor_ad", shown, {pk for pk, ad in ids.items() if ad in removed})


def _landing_pages(competitor: Competitor, ads: Iterable[Ad], fetched: datetime) -> dict[Address, int]:
    """Save where the ads lead. Returns the rows by address."""
    addresses = sorted({_address(ad) for ad in ads if ad.link_url})
    land(
        LandingPage,
        [{"competitor_id": competitor.pk, "host": host, "path": path} for host, path in addresses],
        key=("competitor_id", "host", "path"),
        touch={"last_seen_at": fetched},
        first={"first_seen_at": fetched},
        age="last_seen_at",
    )
    rows = LandingPage.objects.filter(competitor=competitor, host__in={host for host, _ in addresses})
    return {(host, path): pk for pk, host, path in rows.values_list("pk", "host", "path")}


def _address(ad: Ad) -> Address:
    host, path = host_and_path(ad.link_url) if ad.link_url else ("", "")
    return identity(host, LONGEST_HOST), identity(path, LONGEST_PATH)
