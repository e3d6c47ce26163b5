"""A question for insights, and its rows: numbers as text, nil left out, no row without delivery."""

import itertools
import json
import random
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from . import errors
from .nodes import STATUSES, World, account_node, ads_in, basics, campaign_node, id_of, parent_of
from .performance import CONVERSIONS, Figures, Moment, figures, money, split, tier_of, total

Row = dict[str, Any]
Place = tuple[int, int, int]  # of a row in the answer: its period, its entity, its part of a breakdown

LEVELS = ("ad", "adset", "campaign", "account")
MONTHS_KEPT, MONTHS_OF_REACH = 37, 13  # the second is for reach with a breakdown
SETTING = "7d_click_1d_view"

_AGES, _GENDERS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+"), ("female", "male", "unknown")
_PLACEMENTS: list[tuple[str, ...]] = [
    ("facebook", "feed"), ("facebook", "facebook_reels"), ("facebook", "facebook_stories"), ("instagram", "feed"),
    ("instagram", "instagram_reels"), ("instagram", "instagram_stories"), ("audience_network", "an_classic"),
]  # fmt: skip
_BREAKDOWNS: dict[tuple[str, ...], list[tuple[str, ...]]] = {
    ("age",): [(age,) for age in _AGES],
    ("gender",): [(gender,) for gender in _GENDERS],
    ("age", "gender"): list(itertools.product(_AGES, _GENDERS)),
    ("country",): [("US",), ("DE",), ("JP",)],
    ("publisher_platform",): [("facebook",), ("instagram",), ("audience_network",)],
    ("publisher_platform", "platform_position"): _PLACEMENTS,
}
_NAMES = sorted({name for names in _BREAKDOWNS for name in names})


@dataclass(frozen=True)
class Question:
    account: str
    level: str
    since: date
    until: date
    daily: bool
    fields: tuple[str, ...]
    breakdowns: tuple[str, ...]
    chosen: dict[str, set[str]]  # ids or words by the filter's field
    least_impressions: int

    @classmethod
    def of(cls, account: str, given: Mapping[str, str], moment: Moment, dead: str = "") -> "Question":
        """Raises the API's error for what it does not know; `dead` is a name that this version no longer has."""
        level = given.get("level", "account")
        if level not in LEVELS:
            raise errors.wrong(f"level must be one of the following values: {', '.join(LEVELS)}")
        since, until = _range(given.get("time_range", ""), moment)
        increment = given.get("time_increment", "all_days")
        if increment not in ("1", "all_days"):
            raise errors.wrong("time_increment must be 1 or all_days")
        chosen, least = _filters(given.get("filtering", ""))
        return cls(
            account=account,
            level=level,
            since=since,
            until=until,
            daily=increment == "1",
            fields=_fields(given.get("fields", ""), dead),
            breakdowns=_breakdowns(given.get("breakdowns", ""), dead),
            chosen=chosen,
            least_impressions=least,
        )


def rows(question: Question, world: World, moment: Moment, after: Place | None = None) -> Iterator[tuple[Place, Row]]:
    """The rows behind a place, in a fixed order."""
    about = account_node(question.account, world)
    for period, (start, stop) in enumerate(_periods(question)):
        for entity, members in _entities(question, world).items():
            if after is not None and (period, entity) < after[:2]:
                continue
            whole = _done(question, members, start, stop, world, moment)
            if whole is None or whole["impressions"] <= question.least_impressions:
                continue
            names = _names(question, entity, world)
            for number, (cell, part) in enumerate(_cells(question, entity, start, whole)):
                place = (period, entity, number)
                if (after is None or place > after) and any(part.values()):
                    shown = _shown(question, part, about["currency"], start, moment)
                    dates = {"date_start": start.isoformat(), "date_stop": stop.isoformat()}
                    row = {name: names[name] for name in question.fields if name in names}
                    yield place, row | shown | dates | cell


def touches(question: Question, number: int, day: date | None, world: World, moment: Moment) -> bool:
    """Whether the answer has a row of that ad, on that day if one is given."""
    if question.level != "ad" or number not in _entities(question, world):
        return False
    since, until = (day, day) if day else (question.since, question.until)
    if not question.since <= since <= until <= question.until:
        return False
    return _done(question, [number], since, until, world, moment) is not None


def _done(question: Question, members: list[int], start: date, stop: date, world: World, moment: Moment) -> Figures | None:
    days = [start + timedelta(days=n) for n in range((stop - start).days + 1)]
    found = total(figures(question.account, n, day, world, moment) for n in members for day in days)
    if found and len(members) > 1:
        found["reach"] = max(found["reach"] * 9 // 10, 1)  # people who saw two of the ads count once
    return found


def _periods(question: Question) -> list[tuple[date, date]]:
    if not question.daily:
        return [(question.since, question.until)]
    days = [question.since + timedelta(days=n) for n in range((question.until - question.since).days + 1)]
    return [(day, day) for day in days]


def _entities(question: Question, world: World) -> dict[int, list[int]]:
    """The ads of each ad set, campaign … by its number. Deleted ads are left out, but the account's total has them."""
    found: dict[int, list[int]] = {}
    for n in range(ads_in(question.account, world)):
        if _is_chosen(question, n, world):
            entity = n if question.level == "ad" else 0 if question.level == "account" else parent_of(question.level, n)
            found.setdefault(entity, []).append(n)
    return found


def _is_chosen(question: Question, number: int, world: World) -> bool:
    chosen = question.chosen
    for kind in ("ad", "adset", "campaign"):
        ids = chosen.get(f"{kind}.id")
        if ids is not None and id_of(kind, question.account, parent_of(kind, number)) not in ids:
            return False
    statuses = chosen.get("ad.effective_status")
    if statuses is None and question.level == "account":
        return True
    status = basics(world.seed, question.account, number).status
    return status in statuses if statuses is not None else status != "DELETED"


def _names(question: Question, entity: int, world: World) -> Row:
    account = question.account
    about = account_node(account, world)
    names = {
        "account_id": account,
        "account_name": about["name"],
        "account_currency": about["currency"],
        "attribution_setting": SETTING,
        "objective": "OUTCOME_SALES",
    }
    if question.level == "account":
        return names
    first = {"ad": entity, "adset": entity * 5, "campaign": entity * 10}[question.level]
    campaign = campaign_node(account, first)
    names |= {"campaign_id": campaign["id"], "campaign_name": campaign["name"]}
    if question.level in ("ad", "adset"):
        number = parent_of("adset", first)
        names |= {"adset_id": id_of("adset", account, number), "adset_name": f"Ad set {number + 1}"}
    if question.level == "ad":
        names |= {"ad_id": id_of("ad", account, entity), "ad_name": basics(world.seed, account, entity).name}
    return names


def _cells(question: Question, entity: int, start: date, whole: Figures) -> Iterator[tuple[Row, Figures]]:
    if not question.breakdowns:
        yield {}, whole
        return
    cells = _BREAKDOWNS[question.breakdowns]
    rng = random.Random(f"{question.account}:{entity}:{start}:{question.breakdowns}")
    parts = split(whole, [rng.randrange(1, 10) for _ in cells])
    for cell, part in zip(cells, parts, strict=True):
        yield dict(zip(question.breakdowns, cell, strict=True)), part


def _shown(question: Question, part: Figures, currency: str, start: date, moment: Moment) -> Row:
    context = _Context(part, currency, tier_of(question.account))
    names = set(question.fields)
    if question.breakdowns and start < months_before(moment.today, MONTHS_OF_REACH):
        names -= {"reach", "frequency"}
    found = {name: METRICS[name](context) for name in question.fields if name in names and name in METRICS}
    return {name: value for name, value in found.items() if value not in (None, [])}


@dataclass(frozen=True)
class _Context:
    part: Figures
    currency: str
    tier: int

    def money(self, amount: float) -> str:
        return money(amount, self.currency)

    def count(self, name: str) -> str | None:
        return str(self.part[name]) if self.part[name] else None

    def ratio(self, above: str, below: str, factor: float = 1) -> str | None:
        return f"{self.part[above] * factor / self.part[below]:.6f}" if self.part[below] else None

    def cost(self, below: str, factor: int = 1) -> str | None:
        return self.money(self.part["spend"] * factor / self.part[below]) if self.part[below] else None

    def video(self, name: str) -> list[Row]:
        return [{"action_type": "video_view", "value": str(self.part[name])}] if self.part[name] else []

    def seconds(self) -> list[Row]:
        plays = self.part["video_plays"]
        return [{"action_type": "video_view", "value": str(round(self.part["video_seconds"] / plays))}] if plays else []

    def outbound(self) -> list[Row]:
        return [{"action_type": "outbound_click", "value": str(self.part["link_clicks"])}] if self.part["link_clicks"] else []

    def actions(self, *, value: bool = False) -> list[Row]:
        """A conversion stands under several types, each wider than the next one. They are not to be added up."""
        found: dict[str, int] = {}
        if not value:
            found |= {"link_click": self.part["link_clicks"], "video_view": self.part["video_views"]}
            found |= {"landing_page_view": self.part["landing_page_views"], "view_content": self.part["content_views"]}
            found |= {"post_engagement": self.part["clicks"], "offsite_conversion.custom.77.purchase": 1000}
        for figure, names in CONVERSIONS.items():
            if not value or figure == "purchases":
                whole = self.part["purchase_value" if value else figure]
                found |= {name: whole - whole * less // 5 for less, name in enumerate(names[self.tier :])}
        return [self._action(name, amount, value=value) for name, amount in found.items() if amount]

    def _action(self, name: str, amount: int, *, value: bool) -> Row:
        shown = self.money if value else str
        return {
            "action_type": name,
            "value": shown(amount),
            "7d_click": shown(amount - amount // 4),
            "1d_view": shown(amount // 4),
        }


def _watched(name: str) -> Callable[[_Context], Any]:
    return lambda it: it.video(name)


METRICS: dict[str, Callable[[_Context], Any]] = {
    "spend": lambda it: it.money(it.part["spend"]),
    "impressions": lambda it: str(it.part["impressions"]),
    "reach": lambda it: it.count("reach"),
    "frequency": lambda it: it.ratio("impressions", "reach"),
    "clicks": lambda it: it.count("clicks"),
    "inline_link_clicks": lambda it: it.count("link_clicks"),
    "ctr": lambda it: it.ratio("clicks", "impressions", 100),
    "cpm": lambda it: it.cost("impressions", 1000),
    "cpc": lambda it: it.cost("clicks"),
    "outbound_clicks": _Context.outbound,
    "actions": _Context.actions,
    "action_values": lambda it: it.actions(value=True),
    "video_play_actions": lambda it: it.video("video_plays"),
    "video_thruplay_watched_actions": lambda it: it.video("video_thruplays"),
    "video_avg_time_watched_actions": _Context.seconds,
    **{f"video_p{share}_watched_actions": _watched(f"video_p{share}") for share in (25, 50, 75, 95, 100)},
}
_OTHER_FIELDS = {
    "account_id", "account_name", "account_currency", "attribution_setting", "objective", "campaign_id", "campaign_name",
    "adset_id", "adset_name", "ad_id", "ad_name", "date_start", "date_stop",
}  # fmt: skip


def months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _range(text: str, moment: Moment) -> tuple[date, date]:
    given = _json(text, "time_range")
    try:
        since, until = date.fromisoformat(given["since"]), date.fromisoformat(given["until"])
    except (KeyError, TypeError, ValueError):
        raise errors.wrong("Must specify time_range with since and until as YYYY-MM-DD") from None
    if since > until:
        raise errors.wrong("Must specify the start date before the end date")
    if since < months_before(moment.today, MONTHS_KEPT):
        raise errors.too_old()
    return since, until


def _fields(text: str, dead: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",")) if text else ("impressions", "spend")
    for name in names:
        if name == dead or name not in METRICS.keys() | _OTHER_FIELDS:
            raise errors.wrong(
                f"{name} is not valid for fields param. please check "
                "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values"
            )
    return names


def _breakdowns(text: str, dead: str) -> tuple[str, ...]:
    names = tuple(_json(text, "breakdowns") if text.startswith("[") else filter(None, (one.strip() for one in text.split(","))))
    for number, name in enumerate(names):
        if name == dead or name not in _NAMES:
            known = ", ".join(one for one in _NAMES if one != dead)
            raise errors.wrong(f"breakdowns[{number}] must be one of the following values: {known}")
    if names and names not in _BREAKDOWNS:
        raise errors.wrong(f"Current combination of data breakdown columns ({', '.join(names)}) is invalid")
    return names


def _filters(text: str) -> tuple[dict[str, set[str]], int]:
    chosen: dict[str, set[str]] = {}
    least = 0
    for one in _json(text, "filtering") if text else []:
        field, operator, value = (one.get(name) for name in ("field", "operator", "value"))
        if (field, operator) == ("ad.impressions", "GREATER_THAN") and str(value).isdigit():
            least = int(value)
        elif operator == "IN" and isinstance(value, list) and field in {f"{kind}.id" for kind in LEVELS[:3]}:
            chosen[field] = set(map(str, value))
        elif (field, operator) == ("ad.effective_status", "IN") and isinstance(value, list) and set(value) <= set(STATUSES):
            chosen[field] = set(value)
        else:
            raise errors.wrong(f"Filtering field {field} with operation {operator} is not supported")
    return chosen, least


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise errors.wrong(f"Param {name} must be valid JSON") from None
