"""The figures of an account's ads, day by day: read part by part, and saved so that what Meta leaves out stays as it is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from competitors.models import AccountDay, AdAccount, AdDay, AdDemographicDay, AdGap
from competitors.reading.graph.insights import AGE_GENDER, MEASURES, PARTS, PLACEMENT, AdFigures, read_account_day, read_ad_day
from competitors.upstream.graph import AdAccountReader, InsightsPart, Lost
from pipeline import api
from pipeline.contract import Context, land
from pipeline.contract.tally import Tally, rows_met
from pipeline.models import Event, RunLog
from pipeline.states import Verdict
from pipeline.words import counted

from .months import add_up, lock
from .report import read_days
from .window import DEMOGRAPHIC_DAYS, Window

AT_ONCE = 1_000  # rows of one transaction
LOGGED = 20  # things that Meta could not give, each with a line of its own in the run's log
GONE = "meta_field_gone"  # kind of the event
NAMES = ("ad_name", "adset_id", "campaign_id", "campaign_name")
Row = dict[str, Any]


@dataclass
class Found:
    """What came of one kind of rows."""

    counts: Counter[str] = field(default_factory=Counter)
    ads: set[str] = field(default_factory=set)
    unread: Counter[str] = field(default_factory=Counter)  # by field
    lost: list[Lost] = field(default_factory=list)
    attribution: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return rows_met(self.counts)

    @property
    def setting(self) -> str:
        """What purchases were counted by, '' if Meta did not say."""
        return next((one for one, _ in self.attribution.most_common(1)), "")

    @property
    def doubt(self) -> tuple[Verdict, str]:
        if rejected := self.counts["rejected"]:
            words = f"{counted(rejected, 'row')} had no ad or no single day, and could not be saved."
            return (Verdict.PARTIAL if self.rows else Verdict.SUSPICIOUS), words
        for name, count in self.unread.most_common(1):
            if count * 2 > self.rows:
                return Verdict.SUSPICIOUS, f"Most values of {name} could not be read. Meta may have changed their format."
        if days := [one for one in self.lost if not one.name and one.day]:  # a single field that fails would do so for ever
            more = f" And {len(days) - 1:,} more." if len(days) > 1 else ""
            return Verdict.PARTIAL, f"Meta could not give everything: {days[0]}{more}"
        return Verdict.OK, ""


def read_performance(ctx: Context, account: AdAccount, reader: AdAccountReader, window: Window) -> tuple[Found, Found]:
    """The figures of the ads, and the account's own totals, which have more: Meta leaves deleted ads out of the others."""
    ads, totals = Found(), Found()
    for piece, parts in read_days(ctx, reader, window):
        _save(ctx, account, piece, parts, ads, _AdDays())
    _save(ctx, account, window, reader.insights(window.since, window.until, level="account"), totals, _AccountDays())
    for found, what in ((ads, "row"), (totals, "day of the account")):
        _say(ctx, account, found, what)
    _note_gaps(ctx, account, AdGap.Part.FIGURES, [*ads.lost, *totals.lost])
    if setting := totals.setting or ads.setting:
        account.attribution_setting = setting
        account.save(update_fields=["attribution_setting"])
    return ads, totals


def read_demographics(ctx: Context, account: AdAccount, reader: AdAccountReader, window: Window) -> Found:
    """By age and gender, and by platform and position, of the last days."""
    found, last = Found(), window.last(DEMOGRAPHIC_DAYS)
    for kind, names in ((AdDemographicDay.Kind.AGE_GENDER, AGE_GENDER), (AdDemographicDay.Kind.PLACEMENT, PLACEMENT)):
        parts = reader.insights(last.since, last.until, breakdowns=names)
        _save(ctx, account, last, parts, found, _Demographics(kind, names))
    _say(ctx, account, found, "row of a part of a day")
    _note_gaps(ctx, account, AdGap.Part.DEMOGRAPHICS, found.lost)
    return found


class _AdDays:
    model: Any = AdDay
    key: tuple[str, ...] = ("ad_account_id", "ad_id", "date")
    columns: tuple[str, ...] = (*NAMES, *MEASURES)
    breakdowns: Sequence[str] = ()
    in_months = True

    def read(self, item: Any) -> AdFigures | None:
        return read_ad_day(item)

    def row(self, figures: Any) -> Row:
        return {"ad_id": figures.ad_id, "date": figures.date, **figures.names, **figures.measures}


class _AccountDays(_AdDays):
    model = AccountDay
    key = ("ad_account_id", "date")
    columns = MEASURES
    in_months = False

    def read(self, item: Any) -> Any:
        return read_account_day(item)

    def row(self, figures: Any) -> Row:
        return {"date": figures.date, **figures.measures}


class _Demographics(_AdDays):
    model = AdDemographicDay
    key = ("ad_account_id", "ad_id", "date", "kind", "breakdown")
    columns = PARTS
    in_months = False

    def __init__(self, kind: AdDemographicDay.Kind, names: Sequence[str]):
        self._kind, self.breakdowns = kind, names

    def read(self, item: Any) -> AdFigures | None:
        return read_ad_day(item, self.breakdowns)

    def row(self, figures: Any) -> Row:
        parts = {name: figures.measures[name] for name in PARTS}
        return {"ad_id": figures.ad_id, "date": figures.date, "kind": self._kind, "breakdown": figures.breakdown, **parts}


def _save(ctx: Context, account: AdAccount, window: Window, parts: Iterable[InsightsPart], found: Found, kind: _AdDays) -> None:
    tally = Tally()
    for part in parts:
        found.lost += part.lost
        if any(one.name in kind.breakdowns for one in part.lost):
            return  # without one of its breakdowns, the rows are others
        for start in range(0, len(part.items), AT_ONCE):
            ctx.check()
            tally.add(_land(ctx, account, window, part.items[start : start + AT_ONCE], found, kind))
        ctx.progress(found.rows + sum(tally.counts.values()), unit="rows")
    found.counts.update(tally.counts)


def _land(ctx: Context, account: AdAccount, window: Window, items: list[Any], found: Found, kind: _AdDays) -> Any:
    """What became of each row, by key."""
    rows: dict[tuple[Any, ...], Row] = {}
    for item in items:
        figures = kind.read(item)
        if figures is None or not window.since <= figures.date <= window.until:
            found.counts["rejected"] += 1
            continue
        row = {"ad_account_id": account.pk, **kind.row(figures)}
        key = tuple(row[name] for name in kind.key)
        known = rows.get(key, {})  # Meta may send one day in two parts, each with some of its fields
        rows[key] = row | {name: value for name, value in known.items() if row[name] in (None, "")}
        found.unread.update(figures.unread)
        if row.get("ad_id"):
            found.ads.add(row["ad_id"])
        if setting := figures.measures["attribution"]:
            found.attribution[setting] += 1
    at = ctx.now()
    with transaction.atomic():
        if kind.in_months:
            lock(account)
        landed = land(
            kind.model,
            list(rows.values()),
            key=kind.key,
            content=kind.columns,
            touch={"last_read_at": at, "last_run_id": ctx.run.pk},
            age="last_read_at",
            keep_absent=kind.columns,
        )
        if kind.in_months:
            # Also of rows that did not change: older code may have written them without.
            add_up(account, [(row["ad_id"], row["date"]) for row in rows.values()])
    return landed.rows


def _say(ctx: Context, account: AdAccount, found: Found, what: str) -> None:
    if rejected := found.counts["rejected"]:
        words = f"{counted(rejected, what)} had no ad or no single day of the window, and could not be saved."
        ctx.log(words, RunLog.Level.WARNING)
    for name, count in found.unread.items():
        words = f"{name} could not be read in {counted(count, 'row')}. What was stored before stays."
        ctx.log(words, RunLog.Level.WARNING)
    for one in found.lost[:LOGGED]:
        ctx.log(str(one), RunLog.Level.WARNING)
    if len(found.lost) > LOGGED:
        ctx.log(f"{len(found.lost) - LOGGED:,} more could not be read.", RunLog.Level.WARNING)
    for one in found.lost:
        if one.name and not one.ad_id and not one.day:
            _note_gone(ctx, one.name)


def _note_gaps(ctx: Context, account: AdAccount, part: AdGap.Part, lost: Sequence[Lost]) -> None:
    AdGap.objects.replace(account, part, {one.what: one.reason for one in lost}, ctx.run, ctx.now())


def _note_gone(ctx: Context, name: str) -> None:
    """Once for each name: it is gone for all accounts."""
    began = f"Meta's field {name} is gone since "
    if not Event.objects.filter(kind=GONE, message__startswith=began).exists():
        words = f"{began}{ctx.now().date()}. It is left out from now on; values that are stored stay."
        api.record_change(GONE, words, by=None)
