"""The made-up ad library: which ads a source has, and how they change from one made-up day to the next.

An ad that ends is gone from searches for active ads. In searches for all ads it is shown as ended, but every other
one is missing there too, like ads that Meta removed.
"""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from . import phrases
from .source import Source

#: A fixed date: an ad must have started on the same day in every scrape, so ages cannot count from today.
DAY_ZERO = date(2026, 6, 30)
_FORMATS = ("IMAGE", "VIDEO", "CAROUSEL", "DCO", "DPA", "MULTI_IMAGES")
_FORMAT_WEIGHTS = (32, 34, 10, 11, 7, 6)
_GROUP_SIZES = (1, 1, 1, 1, 2, 3, 5)


@dataclass(frozen=True)
class Page:
    id: str
    name: str
    category: str
    likes: int

    @property
    def host(self) -> str:
        return "".join(c for c in self.name.lower() if c.isalnum()) + ".example"


@dataclass(frozen=True)
class Ad:
    id: str
    page: Page
    creative: str  # ads of one group share it, and with it texts and media
    format: str
    started: date
    ended: date | None
    removed: bool
    group: str | None  # collation_id
    group_size: int
    leads: bool  # the first of its group
    impressions: int  # the place in phrases.IMPRESSIONS

    @property
    def has_video(self) -> bool:
        return self.format == "VIDEO"


@dataclass(frozen=True)
class Aging:
    """How old the library is, and what one day changes."""

    days: int
    new_ads: int
    gone_ads: int

    @property
    def today(self) -> date:
        return DAY_ZERO + timedelta(days=self.days)


def ads_of(source: Source, seed: int, aging: Aging) -> list[Ad]:
    """What the source shows, in its own order."""
    if source.empty:
        return []
    shown = [ad for ad in _all_ads(source.key, source.page_id, seed, aging) if _matches(ad, source)]
    return sorted(shown, key=lambda ad: -ad.impressions) if source.by_impressions else shown


def _matches(ad: Ad, source: Source) -> bool:
    wanted = {"active": ad.ended is None, "inactive": ad.ended is not None, "all": True}[source.status]
    media = {"video": ad.has_video, "image": not ad.has_video}.get(source.media, True)
    in_time = (source.since is None or ad.started >= source.since) and (source.until is None or ad.started <= source.until)
    return wanted and media and in_time and not ad.removed


@lru_cache(maxsize=64)
def _all_ads(key: str, page_id: str | None, seed: int, aging: Aging) -> tuple[Ad, ...]:
    """All ads of the source, newest first."""
    rng = random.Random(f"{seed}:{key}")
    pages = _pages(rng, key, page_id)
    ads: list[Ad] = []
    age = 0.0
    count = rng.randint(60, 160) if key.startswith("page:") else rng.randint(150, 400)
    while len(ads) < count:
        age += rng.expovariate(1 / 2.5)  # a group starts about every 2.5 days
        started = DAY_ZERO - timedelta(days=int(age))
        ads += _group(f"{seed}:{key}:{len(ads)}", rng.choice(pages), started, rng.choice(_GROUP_SIZES))
    order = random.Random(f"{seed}:{key}:gone").sample(range(count), count)
    for number, index in enumerate(order[: aging.days * aging.gone_ads]):
        gone = DAY_ZERO + timedelta(days=number // aging.gone_ads + 1)
        ads[index] = replace(ads[index], ended=ads[index].ended or gone, removed=number % 2 == 1)
    for day in range(1, aging.days + 1):
        for number in range(aging.new_ads):
            creative = f"{seed}:{key}:day {day}:{number}"
            ads[:0] = _group(creative, rng.choice(pages), DAY_ZERO + timedelta(days=day), 1)
    return tuple(ads)


def _pages(rng: random.Random, key: str, page_id: str | None) -> list[Page]:
    def page(own_id: str | None) -> Page:
        name, category = rng.choice(phrases.PAGES)
        return Page(own_id or str(rng.randrange(10**14, 10**15)), name, category, rng.randrange(200, 400_000))

    return [page(page_id)] if key.startswith("page:") else [page(None) for _ in range(12)]


def _group(creative: str, page: Page, started: date, size: int) -> list[Ad]:
    rng = random.Random(creative)
    format_ = rng.choices(_FORMATS, _FORMAT_WEIGHTS)[0]
    group = str(rng.randrange(10**14, 10**16)) if size > 1 or rng.random() < 0.7 else None
    ended = started + timedelta(days=rng.randint(1, 60)) if rng.random() < 0.12 else None
    if ended is not None and ended > DAY_ZERO:
        ended = None
    return [
        Ad(
            id=str(rng.randrange(10**14, 10**17)),
            page=page,
            creative=creative,
            format=format_,
            started=started,
            ended=ended,
            removed=False,
            group=group,
            group_size=size,
            leads=place == 0,
            impressions=min(int(rng.expovariate(0.5)), len(phrases.IMPRESSIONS) - 1),
        )
        for place in range(size)
    ]
