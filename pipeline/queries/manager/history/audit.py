"""Who did what: the events of acts, and the changes of rows that django-auditlog records, in one list."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from auditlog.models import LogEntry
from django.db.models import Q, QuerySet

from ....models import Brand, Event
from ....people import Brands, brands_for

PAGE, PIECE = 50, 500
WORDS = {"None": "", "True": "yes", "False": "no"}  # of a stored value
PEOPLE = "people"
LABELS = {  # of groups of acts
    "sign-ins": "Signing in and out",
    PEOPLE: "People, roles and brands",
    "exports": "Downloads",
    "schedules": "Schedules and pauses",
    "limits": "Limits",
    "money": "Paid starts and retries",
    "results": "Results",
    "settings": "What is scraped",
    "notifications": "Notifications",
    "system": "Backups and removals",
}
KINDS = {  # of events, by group; what happens by itself is on the pages of runs and subjects
    "sign-ins": ("sign_in", "sign_out", "sign_in_failed"),
    "exports": ("export",),
    "schedules": (
        *("scheduled", "rescheduled", "switch_on", "switch_off", "pause", "resume", "archive", "rule_changed", "max_age"),
    ),
    "limits": ("concurrencylimit",),
    "money": ("start_again", "adopt", "end_upstream", "retry", "incident_retry", "bulk_started", "bulk_ended"),
    "results": ("accept", "replay", "replay_queued", "incident_resolved", "incident_snoozed"),
    "settings": ("settings",),
    "notifications": ("notificationchannel", "notificationrule"),
    "system": ("backup", "restored", "removed"),
}
BEGIN = {"settings": ("archive_", "restore_")}  # kinds that begin so; apps add what is theirs
GROUP_OF = {kind: group for group, kinds in KINDS.items() for kind in kinds}


@dataclass(frozen=True)
class Wanted:
    group: str = ""
    person: Any = None
    brand: Brand | None = None
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Change:
    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Act:
    at: datetime
    who: str
    group: str
    what: str
    brand: Brand | None
    url: str
    changes: list[Change]
    address: str = ""
    new: bool = False  # of a row: it was added

    @property
    def label(self) -> str:
        return LABELS[self.group]


def acts(wanted: Wanted, user: Any) -> Iterator[Act]:
    """The newest first, as far as this user may see them. Reads them piece by piece."""
    before: datetime | None = None
    while True:
        found, before = page_of(wanted, user, before=before, size=PIECE)
        yield from found
        if before is None:
            return


def page_of(wanted: Wanted, user: Any, *, before: datetime | None = None, size: int = PAGE) -> tuple[list[Act], datetime | None]:
    """A page, and before when the next one is; None if this is the last. What happened at the same moment is on one page."""
    brands = brands_for(user)
    found = [*_events(wanted, brands, before, size + 1), *_changes(wanted, brands, before, size + 1)]
    found.sort(key=lambda act: act.at, reverse=True)
    end = size
    while end < len(found) and found[end].at == found[end - 1].at:
        end += 1
    return found[:end], found[end - 1].at if end < len(found) else None


def _events(wanted: Wanted, brands: Brands, before: datetime | None, most: int) -> Iterator[Act]:
    if wanted.group == PEOPLE:
        return
    rows = Event.objects.filter(_of_group(wanted.group))
    if not brands.every:
        rows = rows.filter(_of(brands))
    if wanted.person:
        rows = rows.filter(by=wanted.person)
    if wanted.brand:
        paths = ("run__brand", "job__brand", "rule__brand", "brand")
        rows = rows.filter(reduce(or_, (Q(**{path: wanted.brand}) for path in paths)))
    if wanted.words:
        rows = rows.filter(message__alike=wanted.words)
    rows = _within(rows, "at", wanted, before).select_related("by", "run__brand", "job__brand", "rule__brand", "brand")
    for event in rows.order_by("-pk")[:most]:
        owner = event.run or event.job or event.rule
        yield Act(
            at=event.at,
            who=str(event.by or "The system"),
            group=GROUP_OF.get(event.kind) or next(group for group, begin in BEGIN.items() if event.kind.startswith(begin)),
            what=event.message,
            brand=event.brand or (owner.brand if owner else None),
            url=event.run.get_absolute_url() if event.run else "",
            changes=[],
        )


def _of_group(wanted: str) -> Q:
    """'': of any group."""
    kinds = KINDS.get(wanted) or list(GROUP_OF)
    begin = [one for group, ones in BEGIN.items() if wanted in ("", group) for one in ones]
    return reduce(or_, (Q(kind__startswith=one) for one in begin), Q(kind__in=kinds))


def _of(brands: Brands) -> Q:
    """Of a run, else of a schedule, else of a brand; one of these has to be theirs."""
    return (
        Q(brands.q("run__brand"), run__isnull=False)
        | Q(brands.q("job__brand"), run=None, job__isnull=False)
        | Q(brands.q("rule__brand"), run=None, job=None, rule__isnull=False)
        | Q(brands.q("brand"), brand__isnull=False)
    )


def _changes(wanted: Wanted, brands: Brands, before: datetime | None, most: int) -> Iterator[Act]:
    """Of people, roles and brands: for those who see all brands, as in the admin."""
    if wanted.group not in ("", PEOPLE) or not brands.every or wanted.brand:
        return
    rows = LogEntry.objects.select_related("actor", "content_type")
    if wanted.person:
        rows = rows.filter(actor=wanted.person)
    if wanted.words:
        rows = rows.filter(object_repr__icontains=wanted.words)
    for entry in _within(rows, "timestamp", wanted, before).order_by("-timestamp", "-pk")[:most]:
        done = {LogEntry.Action.CREATE: "was added", LogEntry.Action.DELETE: "was removed"}.get(entry.action, "was changed")
        yield Act(
            at=entry.timestamp,
            who=str(entry.actor or ("Somebody" if entry.remote_addr else "A command")),
            group=PEOPLE,
            what=f"{str(entry.content_type).rpartition('| ')[2].capitalize()} {entry.object_repr} {done}.",
            brand=None,
            url="",
            changes=[one for one in map(_change, sorted((entry.changes or {}).items())) if one.before or one.after],
            address=entry.remote_addr or "",
            new=entry.action == LogEntry.Action.CREATE,
        )


def _change(known: tuple[str, Any]) -> Change:
    name, values = known
    if isinstance(values, dict):  # of a relation to several
        names = ", ".join(map(str, values.get("objects", ())))
        removed = values.get("operation") == "delete"
        return Change(name, names if removed else "", "" if removed else names)
    before, after = (WORDS.get(str(value), str(value)) for value in values)
    return Change(name.replace("_", " "), before, after)


def _within(rows: QuerySet[Any], column: str, wanted: Wanted, before: datetime | None) -> QuerySet[Any]:
    for limit, how in ((wanted.since, "gte"), (wanted.until, "lt"), (before, "lt")):
        if limit:
            rows = rows.filter(**{f"{column}__{how}": limit})
    return rows
