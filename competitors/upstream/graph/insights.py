"""What an ad account did, day by day: read in parts as small as Meta answers, never with more than one page in memory."""

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone

from pipeline.contract.errors import PermanentError, TransientError

from . import reports
from .http import Graph, Page, every_page, page_of
from .query import Query
from .refusals import AskedTooMuch, WrongRequest

MONTHS_KEPT = 37  # Meta refuses a whole question that begins earlier
FIRST_ZONE = "Pacific/Kiritimati"  # each day begins there
DAYS_BEFORE = timedelta(days=28)  # actions are counted for so long after an ad was shown
MOST_REFUSALS = 100  # in a row: then it is Meta, not the question
MOST_LOOKS, LOOK_PAUSE = 300, 2  # at the report that names the ads


@dataclass(frozen=True)
class Lost:
    """What Meta could not give, while the rest came."""

    name: str  # of a field or breakdown; '' for whole days
    reason: str
    ad_id: str = ""  # '' for all
    day: date | None = None  # None for all

    @property
    def what(self) -> str:
        return f"{self.name or 'Days'}{f' of ad {self.ad_id}' if self.ad_id else ''}{f' on {self.day}' if self.day else ''}"

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


@dataclass(frozen=True)
class InsightsPart:
    """Some rows, as they came."""

    items: list[Any]
    lost: list[Lost] = field(default_factory=list)


@dataclass(frozen=True)
class StartedReport:
    report_id: str
    lost: list[Lost]


class Insights:
    """One question of one account, and what was learned while it was asked."""

    def __init__(self, graph: Graph, account: str):
        self._graph, self._account, self._what = graph, account, f"the insights of {account}"
        self._lost: list[Lost] = []
        self._dead: set[str] = set()  # names that Meta no longer knows
        self._refusals = 0
        self._ads: dict[str, list[str]] | None = None  # by campaign

    def read(self, asked: Query) -> Iterator[InsightsPart]:
        """A row comes once, also if Meta refuses midway and smaller questions follow."""
        if query := self._clamped(asked):
            yield from self._read(query, query, set())
        if self._lost:
            yield InsightsPart([], self._told())

    def start(self, asked: Query) -> StartedReport:
        """A request that got no answer is not repeated: a report that nobody knows of may be running already."""
        query = self._clamped(asked)
        report_id = self._start(query) if query else ""
        lost = self._told()
        if not report_id:
            raise PermanentError(f"There is nothing to ask Meta for. {lost[-1]}")
        return StartedReport(report_id, lost)

    def _start(self, query: Query) -> str:
        """'' if no breakdown is left of those that were asked for."""
        answer = self._send(query, self._post)
        if answer is None:
            return ""
        report_id = answer.get("report_run_id")
        if isinstance(report_id, int) and not isinstance(report_id, bool):
            report_id = str(report_id)
        if not isinstance(report_id, str) or not (report_id.isascii() and report_id.isdigit() and len(report_id) <= 40):
            raise TransientError(f"Meta started a report about {self._what}, but its id could not be read.")
        return report_id

    def _read(self, query: Query, whole: Query, given: set[int]) -> Iterator[InsightsPart]:
        try:
            for items in self._pages(query):
                keys = [hash(query.key_of(item)) if isinstance(item, dict) else None for item in items]
                new = [item for item, key in zip(items, keys, strict=True) if key is None or key not in given]
                given.update(key for key in keys if key is not None)
                yield InsightsPart(new, self._told())
        except AskedTooMuch as error:
            self._refused(error)
        else:
            return
        smaller = self._smaller(query, whole)
        for one in smaller:
            yield from self._read(one, whole, given)
        if not smaller:
            rows = self._by_fields(query, query.fields)
            yield InsightsPart([row for key, row in rows.items() if hash(key) not in given], self._told())

    def _pages(self, query: Query) -> Iterator[list[Any]]:
        def read(after: str) -> Page:
            answer = self._send(query, partial(self._get, after))
            self._refusals = 0
            return Page([], "") if answer is None else page_of(answer, self._what)

        return (page.items for page in every_page(read, self._what))

    def _get(self, after: str, query: Query) -> dict[str, Any]:
        asked = query.parameters() | ({"after": after} if after else {})
        return self._graph.get(f"{self._account}/insights", self._what, limit=reports.PAGE, **asked)

    def _post(self, query: Query) -> dict[str, Any]:
        return self._graph.post(f"{self._account}/insights", self._what, **query.parameters())

    def _send(self, query: Query, send: Callable[[Query], dict[str, Any]]) -> dict[str, Any] | None:
        """Ask without the names that Meta no longer knows: one of them fails the whole question.

        None if no breakdown is left of those that were asked for: without any, the rows would be others.
        """
        while True:
            known = query.without(self._dead)
            if query.breakdowns and not known.breakdowns:
                return None
            try:
                return send(known)
            except WrongRequest as error:
                names = known.named_in(error.words)
                if not names:
                    raise
                self._dead |= names
                self._lost += [Lost(name, f"Meta no longer knows it. {error}") for name in sorted(names)]

    def _smaller(self, query: Query, whole: Query) -> list[Query]:
        """Parts of a question that is too large: days, then campaigns, then ads. None if it is of one ad and day."""
        if halves := query.halves_of_days():
            return halves
        if query.level != "ad" or len(query.ads) == 1:
            return []
        if query.ads:
            return query.of_ads(query.ads)
        if self._ads is None:
            self._ads = self._ads_by_campaign(whole)
        campaigns = query.campaigns or tuple(self._ads)
        if len(campaigns) > 1:
            return query.of_campaigns(campaigns)
        return query.of_ads(tuple(ad for one in campaigns for ad in self._ads.get(one, [])))

    def _by_fields(self, query: Query, fields: tuple[str, ...]) -> dict[Any, dict[str, Any]]:
        """The rows of one ad and day, put together from parts of its fields. A field that fails alone stays out."""
        if len(fields) <= 1:
            name = fields[0] if fields else ""
            self._lost.append(Lost(name, "Meta fails to answer about it.", query.ads[0] if query.ads else "", query.since))
            return {}
        rows: dict[Any, dict[str, Any]] = {}
        for some in (fields[: len(fields) // 2], fields[len(fields) // 2 :]):
            part = replace(query, fields=some)
            try:
                found = {query.key_of(item): item for page in self._pages(part) for item in page if isinstance(item, dict)}
            except AskedTooMuch as error:
                self._refused(error)
                found = self._by_fields(part, some)
            for key, row in found.items():
                rows[key] = rows.get(key, {}) | row
        return rows

    def _ads_by_campaign(self, whole: Query) -> dict[str, list[str]]:
        """By a report of their own: asked for at once, large accounts' ids are refused for size as well."""
        since = self._kept(whole.since - DAYS_BEFORE)
        asked = replace(whole, since=since, fields=("campaign_id",), breakdowns=(), daily=False)
        report_id = self._start(asked)
        for _ in range(MOST_LOOKS):
            state = reports.read_state(self._graph, report_id)
            if state.status != reports.ReportStatus.RUNNING:
                break
            self._graph.sleep(LOOK_PAUSE)
        if state.status != reports.ReportStatus.DONE:
            raise TransientError(state.reason or f"Meta's report {report_id} was not done in time.")
        found: dict[str, list[str]] = {}
        for page in reports.read_pages(self._graph, report_id):
            for row in page.items:
                campaign, ad = (row.get("campaign_id"), row.get("ad_id")) if isinstance(row, dict) else ("", "")
                if isinstance(campaign, str) and isinstance(ad, str) and campaign and ad:
                    found.setdefault(campaign, []).append(ad)
        return found

    def _clamped(self, query: Query) -> Query | None:
        """Without days that Meta no longer keeps; None if there is no other."""
        first = self._kept(query.since)
        if first == query.since:
            return query
        self._lost.append(Lost("", f"Meta keeps {MONTHS_KEPT} months, so what was before {first} cannot be read."))
        return replace(query, since=first) if query.until >= first else None

    def _kept(self, since: date) -> date:
        """The day, or the first one that Meta still has. It counts in the account's zone; one day more is left out to be safe."""
        if since > _months_before(timezone.now().date(), MONTHS_KEPT - 1):
            return since
        zone = self._graph.get(self._account, f"ad account {self._account}", fields="timezone_name").get("timezone_name")
        known = zone if isinstance(zone, str) and zone in available_timezones() else FIRST_ZONE
        today = timezone.now().astimezone(ZoneInfo(known)).date()
        return max(since, _months_before(today, MONTHS_KEPT) + timedelta(days=1))

    def _refused(self, error: AskedTooMuch) -> None:
        self._refusals += 1
        if self._refusals >= MOST_REFUSALS:
            raise TransientError(f"Meta refused {MOST_REFUSALS} requests in a row, however small. {error}") from error

    def _told(self) -> list[Lost]:
        lost, self._lost = self._lost, []
        return lost


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
