"""What ads did, day by day, made up from the seed: the truth that insights show in Meta's form.

All figures can be added up, money in the currency's smallest unit. Two of them change for a while: today's row has the
hours so far, and a purchase is counted up to a week after the day that it belongs to.
"""

import math
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from .nodes import World, account_node, ads_in, adset_node, basics, campaign_node, id_of, kind_of

Figures = dict[str, int]

#: The types that conversions are shown under: an account has those from one of them on, of which the first is the right one.
CONVERSIONS = {
    "purchases": ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase"),
    "add_to_carts": ("omni_add_to_cart", "add_to_cart", "offsite_conversion.fb_pixel_add_to_cart"),
    "initiate_checkouts": (
        "omni_initiated_checkout",
        "initiate_checkout",
        "offsite_conversion.fb_pixel_initiate_checkout",
    ),
}
NO_DECIMALS = {"JPY", "KRW", "CLP"}
_OFTEN = {"ACTIVE": 0.9, "DELETED": 0.6, "PAUSED": 0.4, "DISAPPROVED": 0.3}
_LATE = (0, 0, 0, 0, 1, 1, 2, 3, 6)  # days until a purchase is counted


@dataclass(frozen=True)
class Moment:
    """Now, in an account's zone."""

    today: date
    hour: int

    @classmethod
    def of(cls, now: float, account: str, world: World) -> "Moment":
        here = datetime.fromtimestamp(now, ZoneInfo(account_node(account, world)["timezone_name"]))
        return cls(here.date(), here.hour)


@dataclass(frozen=True)
class _Habits:
    status: str
    first: date
    last: date
    idle: bool
    cents: int  # of a usual day
    cpm: int  # cents for 1,000 impressions
    buys: float  # purchases of a link click
    phase: float
    video: bool


def figures(account: str, number: int, day: date, world: World, moment: Moment) -> Figures | None:
    """What the ad did on that day, None without delivery."""
    habits = _habits(world.seed, account, number)
    if habits.idle or day > moment.today or not habits.first <= day <= habits.last:
        return None
    rng = random.Random(f"{world.seed}:{account}:{number}:{day}")
    if rng.random() >= _OFTEN.get(habits.status, 0.2):
        return None
    spend = int(habits.cents * rng.uniform(0.5, 1.6))
    impressions = max(spend * 1000 // habits.cpm, 1)
    clicks = int(impressions * rng.uniform(0.008, 0.03))
    link_clicks = int(clicks * rng.uniform(0.5, 0.9))
    tide = 1 + 0.7 * math.sin(2 * math.pi * day.toordinal() / 28 + habits.phase)  # so that a ROAS falls now and then
    bought = [rng.choice(_LATE) for _ in range(_count(rng, link_clicks * habits.buys * tide))]
    purchases = sum(day + timedelta(days=late) <= moment.today for late in bought)
    plays = int(impressions * rng.uniform(0.5, 0.8)) if habits.video else 0
    views = int(plays * rng.uniform(0.3, 0.6))
    kept = [int(views * share) for share in (0.7, 0.5, 0.35, 0.2, 0.17)]
    found = {
        "spend": spend,
        "impressions": impressions,
        "reach": max(int(impressions * 0.8), 1),
        "clicks": clicks,
        "link_clicks": link_clicks,
        "landing_page_views": link_clicks * 4 // 5,
        "content_views": link_clicks * 3 // 5,
        "add_to_carts": purchases * 3 + link_clicks // 40,
        "initiate_checkouts": purchases * 2,
        "purchases": purchases,
        "purchase_value": purchases * (habits.cents % 4000 + 1900),
        "video_plays": plays,
        "video_views": views,
        "video_p25": kept[0],
        "video_p50": kept[1],
        "video_p75": kept[2],
        "video_p95": kept[3],
        "video_p100": kept[4],
        "video_thruplays": kept[2],
        "video_seconds": plays * rng.randrange(2, 12),  # of all plays together
    }
    if day == moment.today:
        found = {name: max(value * (moment.hour + 1) // 24, name == "impressions") for name, value in found.items()}
    return found


def total(parts: Iterable[Figures | None]) -> Figures | None:
    """None if there was no delivery at all."""
    together: Counter[str] = Counter()
    for one in parts:
        together.update(one or {})
    return dict(together) if together else None


def split(whole: Figures, weights: list[int]) -> list[Figures]:
    """Parts that add up to the whole, to the cent."""
    ends = [sum(weights[: n + 1]) for n in range(len(weights))]
    bounds = {name: [0, *(value * end // ends[-1] for end in ends)] for name, value in whole.items()}
    return [{name: bound[n + 1] - bound[n] for name, bound in bounds.items()} for n in range(len(weights))]


def tier_of(account: str) -> int:
    """Where an account's conversions begin in CONVERSIONS, by the last digit of its id: 0, 3, 6 and 9 have them all."""
    return int(account[-1]) % 3


def money(amount: float, currency: str) -> str:
    """In the currency's usual unit, as the API writes it."""
    return str(round(amount)) if currency in NO_DECIMALS else f"{amount / 100:.2f}"


def truth(account: str, since: date, until: date, world: World, now: float) -> dict[str, list[dict[str, Any]]]:
    """What insights must add up to: of each ad that is not deleted, and of the account, with its deleted ads.

    Money is text, as in insights; all else are whole numbers, 0 where insights leave the field out.
    """
    moment, currency = Moment.of(now, account, world), account_node(account, world)["currency"]
    ads, days = [], []

    def shown(day: date, done: Figures) -> dict[str, Any]:
        in_money = {name: money(done[name], currency) for name in ("spend", "purchase_value")}
        return {"date": day.isoformat(), **done, **in_money}

    for day in (since + timedelta(days=n) for n in range((until - since).days + 1)):
        found = {n: done for n in range(ads_in(account, world)) if (done := figures(account, n, day, world, moment))}
        for n, done in found.items():
            if basics(world.seed, account, n).status != "DELETED":
                ads.append({"ad_id": id_of("ad", account, n), **shown(day, done)})
        if together := total(found.values()):
            days.append(shown(day, together))
    return {"ads": ads, "account": days}


@lru_cache(maxsize=20_000)
def _habits(seed: int, account: str, number: int) -> _Habits:
    rng = random.Random(f"{seed}:{account}:{number}:habits")
    ad = basics(seed, account, number)
    stops = [campaign_node(account, number)["stop_time"], adset_node(account, number)["end_time"]]
    return _Habits(
        status=ad.status,
        first=ad.created.date(),
        last=min((date.fromisoformat(stop[:10]) for stop in stops if stop), default=date.max),
        idle=rng.random() < 0.08,
        cents=rng.choice([300, 900, 2500, 6000, 15_000]) + rng.randrange(200),
        cpm=rng.randrange(500, 2500),
        buys=rng.choice([0, 0.01, 0.02, 0.03, 0.05]),
        phase=rng.uniform(0, 6.28),
        video=kind_of(account, number, seed) in ("video", "reel"),
    )


def _count(rng: random.Random, expected: float) -> int:
    return int(expected) + (rng.random() < expected % 1)
