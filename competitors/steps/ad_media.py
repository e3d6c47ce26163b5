"""The pictures and videos of ads, for every job type that stores some: which ones there are, and the step that fetches them.

The rows are the truth. A step that is cut off leaves its rows waiting, and the next one goes on with them.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, F, QuerySet

from competitors.models import AdMedia, Media, MediaReason, MediaStatus
from competitors.reading.ad_library import MediaLink
from competitors.upstream.media import NotStored, expires_at, fetch
from pipeline.contract import BlockedError, Cancelled, Context, Done, PermanentError
from pipeline.models import RunLog
from pipeline.states import Verdict
from pipeline.words import counted

CHUNK = 500  # rows of one statement
LOGGED = 20  # links that could not be stored, each with a line of its own in the run's log
WITHOUT_MEDIA = (MediaReason.NONE_IN_AD, MediaReason.REMOVED_BY_POLICY)
LOST_FOR_GOOD = (MediaReason.TOO_BIG, MediaReason.WRONG_TYPE)  # a new link to the same file would end the same way


@dataclass(frozen=True)
class Stored:
    """What became of a run's links, also of those that it tried before it was interrupted."""

    files: int = 0
    not_stored: Mapping[str, int] = field(default_factory=dict)  # by MediaReason
    stopped: str = ""  # what kept it from trying the others

    @property
    def summary(self) -> str:
        """ "98 files stored, 2 not (the link has expired 1, the server failed 1)." '' if there was nothing to store."""
        lost = sum(self.not_stored.values())
        reasons = ", ".join(f"{_lower_first(MediaReason(one).label)} {count:,}" for one, count in self.not_stored.items())
        words = f"{counted(self.files, 'file')} stored" + (f", {lost:,} not ({reasons})." if lost else ".")
        return " ".join(filter(None, [words if self.files or lost else "", self.stopped]))

    def added_to(self, done: Done) -> Done:
        """The run's outcome with this step's counts and words."""
        counts = {"files": self.files, "files_not_stored": sum(self.not_stored.values())}
        counts = {name: count for name, count in counts.items() if count}
        return replace(done, counts={**done.counts, **counts}, summary=" ".join(filter(None, [done.summary, self.summary])))


def note(owner: str, shown: Mapping[int, Sequence[MediaLink]], removed: Container[int] = ()) -> None:
    """Write down what each ad shows, by the ad's primary key; `owner` is one of `AdMedia.OWNERS`. In the caller's transaction.

    What is stored stays. Anything else takes the new link and waits again, unless the same file was refused for what it is.
    An ad without pictures gets a row that says so; with another reason if Meta removed them, as it did from the ads `removed`.
    """
    key = f"{owner}_id"
    known = {
        (getattr(row, key), row.role, row.position): row
        for row in AdMedia.objects.filter(**{f"{key}__in": shown}).exclude(status=MediaStatus.STORED)
    }
    new: list[AdMedia] = []
    changed: list[AdMedia] = []
    for pk, links in shown.items():
        places = {(link.role, link.position): _waiting(link) for link in links}
        if not places:
            why = _why(MediaReason.REMOVED_BY_POLICY if pk in removed else MediaReason.NONE_IN_AD)
            places[str(AdMedia.Role.PICTURE), 0] = {"url": "", "expires_at": None, **why}
        for (role, position), place in places.items():
            row = known.get((pk, role, position))
            if row is None:
                new.append(AdMedia(**{key: pk}, role=role, position=position, **place))
            elif _has_changed(row, place):
                changed.append(row)
                for name, value in {**place, "detail": ""}.items():
                    setattr(row, name, value)
    shows = {pk for pk, links in shown.items() if links}
    empty = AdMedia.objects.filter(reason__in=WITHOUT_MEDIA, **{f"{key}__in": shows})
    empty.exclude(pk__in=[row.pk for row in changed]).delete()
    AdMedia.objects.bulk_create(new, batch_size=CHUNK, ignore_conflicts=True)  # those that are stored are there already
    AdMedia.objects.bulk_update(changed, ["url", "expires_at", "status", "reason", "detail"], batch_size=CHUNK)


def _waiting(link: MediaLink) -> dict[str, Any]:
    return {"url": link.url, "expires_at": expires_at(link.url), "status": MediaStatus.WAITING, "reason": ""}


def _has_changed(row: AdMedia, place: Mapping[str, Any]) -> bool:
    """Whether the ad shows something else there than when the row was written."""
    if place["reason"]:
        return row.reason != place["reason"]
    return row.url != place["url"] and not (row.reason in LOST_FOR_GOOD and _file(row.url) == _file(place["url"]))


def to_fetch(rows: QuerySet[AdMedia]) -> QuerySet[AdMedia]:
    """Those of the rows that a run tries, the soonest to expire first."""
    waiting = rows.filter(status__in=[MediaStatus.WAITING, MediaStatus.FAILED])
    return waiting.order_by(F("expires_at").asc(nulls_last=True), "pk")


def store(
    ctx: Context, rows: QuerySet[AdMedia], most: int, *, renew: Callable[[AdMedia], str | NotStored] | None = None
) -> Stored:
    """Fetch and store at most so many of the rows, one after the other.

    `renew` gives a fresh link to a row whose link is missing or has expired, or says why there is none. It may raise.
    BlockedError or PermanentError: the disk is full or refuses.
    """
    todo = list(to_fetch(rows)[:most]) if ctx.run.is_live else []  # a replay sends nothing
    lost = 0

    def check() -> None:
        ctx.check()
        if ctx.cancelled:
            raise Cancelled

    for number, row in enumerate(todo):
        check()
        ctx.progress(number, len(todo), "files")
        got = _fetch(row, check, renew)
        record(row, got, ctx)
        if isinstance(got, NotStored):
            lost += 1
            if lost <= LOGGED:
                ctx.log(f"{row} was not stored: {got.reason.label}. {got.detail}", RunLog.Level.WARNING)
    if lost > LOGGED:
        ctx.log(f"{lost - LOGGED:,} more were not stored. The ads' page shows why.", RunLog.Level.WARNING)
    return _stored(rows, ctx)


def store_again(ctx: Context, rows: QuerySet[AdMedia], renew: Callable[[AdMedia], str | NotStored] | None = None) -> Done:
    """Try one picture or video again, whatever became of it before. `rows` has that one."""
    ended = rows.exclude(status__in=[MediaStatus.STORED, MediaStatus.WAITING]).exclude(last_run=ctx.run)
    ended.update(status=MediaStatus.WAITING, reason="", detail="")
    got = store(ctx, rows, 1, renew=renew)
    if got.files or rows.filter(status=MediaStatus.STORED).exists():
        return Done({"new" if got.files else "unchanged": 1}, records=1, summary=got.summary or "It is stored already.")
    return Done({}, summary=got.summary, verdict=Verdict.SUSPICIOUS, reason=got.summary)


def store_softly(ctx: Context, rows: QuerySet[AdMedia], most: int) -> Stored:
    """Like `store`, for a run whose ads are worth having without their pictures: a disk that refuses ends this step alone."""
    try:
        return store(ctx, rows, most)
    except (BlockedError, PermanentError) as error:
        ctx.log(str(error), RunLog.Level.WARNING)
        return replace(_stored(rows, ctx), stopped=f"Pictures are missing. {error}")


def record(row: AdMedia, got: Media | NotStored, ctx: Context) -> None:
    """What became of the link that was tried, unless the row has another link by now or another run was faster."""
    same = AdMedia.objects.filter(pk=row.pk).exclude(status=MediaStatus.STORED)
    if isinstance(got, Media):
        result = {"status": MediaStatus.STORED, "media": got, "reason": "", "detail": ""}
    else:
        same, result = same.filter(url=row.url), {**_why(got.reason), "detail": got.detail}
    same.update(**result, tried_at=ctx.now(), last_run=ctx.run)


def _stored(rows: QuerySet[AdMedia], ctx: Context) -> Stored:
    tried = (
        rows.filter(last_run=ctx.run).order_by().values_list("reason").annotate(count=Count("pk")).order_by("-count", "reason")
    )
    found = dict(tried.exclude(status=MediaStatus.WAITING).values_list("reason", "count"))
    return Stored(found.pop("", 0), found)


def _fetch(row: AdMedia, check: Callable[[], None], renew: Callable[[AdMedia], str | NotStored] | None) -> Media | NotStored:
    """Fetch it; with a fresh link if the one on record is missing or turns out to have expired."""
    got = fetch(row.url, row.kind, check) if row.url else NotStored(MediaReason.EXPIRED, "There is no link on record.")
    if renew is None or isinstance(got, Media) or got.reason not in (MediaReason.EXPIRED, MediaReason.GONE):
        return got
    link = renew(row)
    if isinstance(link, NotStored):
        return link
    AdMedia.objects.filter(pk=row.pk).exclude(status=MediaStatus.STORED).update(url=link, expires_at=expires_at(link))
    row.url = link
    return fetch(link, row.kind, check)


def _why(reason: MediaReason) -> dict[str, str]:
    return {"status": reason.status, "reason": reason}


def _file(url: str) -> str:
    """What the link names without its signature."""
    return urlsplit(url).path


def _lower_first(words: str) -> str:
    return words if words.startswith("Meta ") else words[:1].lower() + words[1:]
