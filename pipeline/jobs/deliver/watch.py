"""Compares what is wrong now with what was, by each rule, and writes the messages. Every worker calls it; one has the turn."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet

from ...api.oversight.notifications import write_notification
from ...models import Notification, NotificationRule, Run, SourceState, Trouble
from ...people import Brands, brands_for
from ...queries import database_now
from ...queries.manager.watch.troubles import Found, finished_since, finished_words, may_be_cut, troubles

logger = logging.getLogger(__name__)
Event, Phase = NotificationRule.Event, Notification.Phase
TURN_ROW = "notifications"  # the SourceState row whose conditional update gives one worker the turn
INTERVAL = timedelta(seconds=30)
SLOW = dict.fromkeys((Event.STALE, Event.TOKEN), timedelta(minutes=5))  # these look at every subject
OVERLAP = timedelta(minutes=5)  # longer than a transaction may take: what it wrote has the time at which it began
KEPT = timedelta(days=90)
FINISHED_KEPT = timedelta(hours=1)  # longer than OVERLAP: what is older is not read again
NAMED = 20  # troubles in one message


def look_if_due() -> None:
    """Look, if half a minute has passed and no other worker has taken this turn."""
    if not (NotificationRule.objects.filter(enabled=True).exists() or Notification.objects.exists()):
        return
    at = database_now()
    if not SourceState.objects.filter(source=TURN_ROW).exists():
        SourceState.objects.get_or_create(source=TURN_ROW, defaults={"next_poll_at": at})
    if SourceState.objects.filter(source=TURN_ROW, next_poll_at__lte=at).update(next_poll_at=at + INTERVAL):
        look(at)


def look(at: datetime) -> None:
    """At every rule whose time has come. A fault in one keeps no other from its turn."""
    _remove(Notification.objects.filter(created_at__lt=at - KEPT))
    _remove(Trouble.objects.filter(over_at__lt=at - KEPT))
    for rule in NotificationRule.objects.filter(enabled=True, brand__archived_at=None):
        if not _is_due(rule, at):
            continue
        try:
            with transaction.atomic():
                _look_at(rule.pk, at)
        except IntegrityError:  # another worker has just written the same
            logger.info("Another worker has told of %s.", rule)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("Nobody could be told of %s. It is looked at again.", rule)


def _is_due(rule: NotificationRule, at: datetime) -> bool:
    return rule.looked_at is None or at - rule.looked_at >= SLOW.get(Event(rule.event), timedelta(0))


def _look_at(pk: int, at: datetime) -> None:
    """Under the rule's lock. Another worker may have the next turn before this look is over: it leaves the rule out."""
    free = NotificationRule.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    rule = free.select_related("brand", "channel").filter(pk=pk, enabled=True).first()
    if rule and _is_due(rule, at):
        _finished(rule, at) if rule.event == Event.FINISHED else _compare(rule, at)
        NotificationRule.objects.filter(pk=pk).update(looked_at=at)


def _remove(old: QuerySet[Any]) -> None:
    if old.exists():  # with PostgreSQL, deleting nothing counts as a change, and live parts are made anew
        old.delete()


def scope(rule: NotificationRule) -> Brands:
    """The brands whose troubles the rule tells of."""
    return Brands(frozenset([rule.brand_id]), platform=False) if rule.brand_id else brands_for(None)


def _compare(rule: NotificationRule, at: datetime) -> None:
    """What is new is one message, what is over another one, whatever number of troubles it is."""
    now = {one.key: one for one in troubles(rule.event, scope(rule), at)}
    known = {one.key: one for one in rule.troubles.filter(over_at=None)}
    if new := [one for key, one in now.items() if key not in known]:
        message = _write(rule, Phase.OPENED, [one.title for one in new], _texts(new), new[0].url)
        Trouble.objects.bulk_create([Trouble(rule=rule, key=one.key, title=one.title, since=at, told=message) for one in new])
    over = [one for key, one in known.items() if key not in now]
    if over and not may_be_cut(rule.event, now.values()):
        Trouble.objects.filter(pk__in=[one.pk for one in over]).update(over_at=at)
        titles = [one.title for one in over]
        _write(rule, Phase.RESOLVED, titles, titles if len(titles) > 1 else [], after=over[0].told_id)


def _finished(rule: NotificationRule, at: datetime) -> None:
    """Each run that ended is told of once, to the channel or to who queued it, who may still see it."""
    on_since = rule.switched_on_at or rule.created_at
    since = max(on_since, rule.looked_at - OVERLAP) if rule.looked_at else on_since
    for ended in finished_since(scope(rule), since):
        _tell_of(ended, rule, at)
    _remove(rule.troubles.filter(over_at__lt=at - FINISHED_KEPT))


def _tell_of(ended: Sequence[Run], rule: NotificationRule, at: datetime) -> None:
    keys = {f"run {run.pk} {run.completed_at:%Y-%m-%dT%H:%M:%S.%f}": run for run in ended}
    told = set(rule.troubles.filter(key__in=keys).values_list("key", flat=True))
    new = {key: run for key, run in keys.items() if key not in told}
    Trouble.objects.bulk_create(
        [Trouble(rule=rule, key=key, title=finished_words(run), since=at, over_at=at) for key, run in new.items()]
    )
    people = {run.created_by_id: run.created_by for run in new.values() if run.created_by}
    for person in people.values():
        theirs = [run for run in new.values() if run.created_by_id == person.pk]
        if rule.channel is None:
            theirs = [run for run in theirs if person.email and run.brand_id in brands_for(person)]
        if theirs:
            texts = [run.error_message or run.summary for run in theirs]
            words = [finished_words(run) for run in theirs]
            lines = texts if len(theirs) == 1 else [f"{one}. {text}" for one, text in zip(words, texts, strict=True)]
            to = None if rule.channel else person
            _write(rule, Phase.FINISHED, words, lines, theirs[0].get_absolute_url(), person=to)


def _write(
    rule: NotificationRule,
    phase: str,
    titles: Sequence[str],
    lines: Sequence[str],
    url: str = "",
    *,
    after: UUID | None = None,
    person: Any = None,
) -> Notification:
    more = len(lines) - NAMED
    shown = [*lines[:NAMED], *([f"And {more} more."] if more > 0 else [])]
    title = titles[0] if len(titles) == 1 else f"{titles[0]}, and {len(titles) - 1} more"
    return write_notification(
        Notification(
            rule=rule,
            channel=rule.channel,
            person=person,
            brand=rule.brand,
            event=rule.event,
            phase=phase,
            title=title,
            text="\n".join(shown),
            url=url,
            after_id=after,
        )
    )


def _texts(new: Sequence[Found]) -> list[str]:
    return [new[0].text] if len(new) == 1 else [". ".join(filter(None, [one.title, one.text])) for one in new]
