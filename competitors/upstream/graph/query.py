"""One question for insights: what is asked of Meta, and how it is made smaller."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

KEYS = {"ad": ("ad_id",), "account": ("account_id",)}
OF_AN_AD = ("ad_name", "adset_id", "campaign_id", "campaign_name")
MEASURES = (
    "spend",
    "impressions",
    "reach",
    "clicks",
    "inline_link_clicks",
    "outbound_clicks",
    "actions",
    "action_values",
    "video_play_actions",
    "video_thruplay_watched_actions",
    "video_avg_time_watched_actions",
    "video_p25_watched_actions",
    "video_p50_watched_actions",
    "video_p75_watched_actions",
    "video_p95_watched_actions",
    "video_p100_watched_actions",
    "attribution_setting",
)
OF_A_BREAKDOWN = ("spend", "impressions", "inline_link_clicks", "outbound_clicks", "actions", "action_values")
MOST_IDS = 100  # in one request's filter: its address must not get too long

Key = tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """`fields` go without the row's key, which is always asked for. Empty `campaigns` and `ads` mean all."""

    level: str
    since: date
    until: date
    fields: tuple[str, ...]
    breakdowns: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    ads: tuple[str, ...] = ()
    daily: bool = True

    @classmethod
    def of(cls, level: str, since: date, until: date, breakdowns: Iterable[str]) -> "Query":
        """With every field that is stored."""
        names = tuple(breakdowns)
        fields = OF_A_BREAKDOWN if names else (*OF_AN_AD, *MEASURES) if level == "ad" else MEASURES
        return cls(level, since, until, fields, names)

    @property
    def asked(self) -> tuple[str, ...]:
        """All fields, in the order of the request."""
        return (*KEYS[self.level], *self.fields)

    def parameters(self) -> dict[str, str]:
        found = {
            "level": self.level,
            "time_range": json.dumps({"since": self.since.isoformat(), "until": self.until.isoformat()}),
            "fields": ",".join(self.asked),
            "use_unified_attribution_setting": "true",  # as in Ads Manager
        }
        if self.daily:
            found["time_increment"] = "1"
        if self.breakdowns:
            found["breakdowns"] = ",".join(self.breakdowns)
        filters = [{"field": f"{kind}.id", "operator": "IN", "value": ids} for kind, ids in self._chosen() if ids]
        return found | ({"filtering": json.dumps(filters)} if filters else {})

    def _chosen(self) -> list[tuple[str, tuple[str, ...]]]:
        return [("ad", self.ads)] if self.ads else [("campaign", self.campaigns)]

    def key_of(self, row: Mapping[str, Any]) -> Key:
        """What no two rows share."""
        return tuple(str(row.get(name)) for name in (*KEYS[self.level], "date_start", *self.breakdowns))

    def without(self, names: set[str]) -> "Query":
        fields, breakdowns = ([one for one in some if one not in names] for some in (self.fields, self.breakdowns))
        return replace(self, fields=tuple(fields), breakdowns=tuple(breakdowns))

    def named_in(self, words: str) -> set[str]:
        """Which of its names a refusal means: by place, as in `breakdowns[0] must be one of …`, else by the name itself.

        Where a place is told, the words may go on with all names that are valid.
        """
        lists = {"fields": self.asked, "breakdowns": self.breakdowns}
        places = [(lists[name], int(place)) for name, place in re.findall(r"\b(fields|breakdowns)\[(\d{1,3})\]", words)]
        named = {names[place] for names, place in places if place < len(names)} if places else set(re.findall(r"\w+", words))
        return named & {*self.fields, *self.breakdowns}

    def halves_of_days(self) -> list["Query"]:
        """Both halves of its days, none if it is of a single one."""
        days = (self.until - self.since).days
        if not days:
            return []
        middle = self.since + timedelta(days=days // 2)
        return [replace(self, until=middle), replace(self, since=middle + timedelta(days=1))]

    def of_campaigns(self, ids: tuple[str, ...]) -> list["Query"]:
        return [replace(self, campaigns=some) for some in _parts(ids)]

    def of_ads(self, ids: tuple[str, ...]) -> list["Query"]:
        return [replace(self, ads=some) for some in _parts(ids)]


def _parts(ids: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Halves, or smaller parts if these were too long for a request."""
    size = min(-(-len(ids) // 2), MOST_IDS)
    return [ids[start : start + size] for start in range(0, len(ids), size)]
