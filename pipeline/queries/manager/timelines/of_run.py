"""What happened to a run, in order: its place in line, each attempt with its steps, each wait, and its end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ....models import Attempt, Run, Step
from ....states import OUTCOMES, RUNNING, Badge, Outcome, RunStatus

SAID = {
    Outcome.PARKED: "Worked, then waited",
    Outcome.HANDED_BACK: "Handed back to the queue",
    Outcome.LOST: "The worker was lost",
    Outcome.FAILED: "Failed",
    Outcome.COMPLETED: "Worked to the end",
    Outcome.CANCELLED: "Cancelled",
}


@dataclass(frozen=True)
class Entry:
    """`kind`: line, upstream, work or end. `times`: how often a wait was looked at, each time for the same wait.

    `why`: the error of a failed attempt, or why another one ended before the run did.
    """

    kind: str
    at: datetime
    icon: str
    tone: str
    words: str
    seconds: float = 0
    why: str = ""
    failed: bool = False
    steps: Sequence[str] = field(default_factory=tuple)
    times: int = 1


def timeline(
    run: Run, attempts: Sequence[Attempt], steps: Sequence[Step], *, badge: Badge, by: str, waits_for: str, now: datetime
) -> list[Entry]:
    """`badge` is of the run's state now."""
    entries: list[Entry] = []
    for entry in _entries(run, attempts, steps, by, waits_for, now):
        last = entries[-1] if entries else None
        if last and last.kind == entry.kind == "upstream":
            entries[-1] = replace(last, seconds=last.seconds + entry.seconds, times=last.times + 1)
        else:
            entries.append(entry)
    if run.completed_at:
        why = f"asked for by {run.cancel_requested_by}" if run.status == RunStatus.CANCELLED and run.cancel_requested_by else ""
        entries.append(Entry("end", run.completed_at, badge.icon, badge.tone, badge.word, why=why))
    return entries


def _entries(
    run: Run, attempts: Sequence[Attempt], steps: Sequence[Step], by: str, waits_for: str, now: datetime
) -> Iterator[Entry]:
    began = attempts[0].started_at if attempts else run.completed_at or now
    yield Entry("line", run.created_at, "person", "grey", f"Queued by {by}", max((began - run.created_at).total_seconds(), 0))
    for number, attempt in enumerate(attempts):
        end = attempt.ended_at or now
        following = attempts[number + 1].started_at if number + 1 < len(attempts) else None
        done = [step.name for step in steps if attempt.started_at <= step.at <= end]
        parked = attempt.outcome == Outcome.PARKED
        looked = parked and not done and number > 0 and attempts[number - 1].outcome == Outcome.PARKED
        if not looked:  # it only asked whether the wait is over
            mark = OUTCOMES[Outcome(attempt.outcome)] if attempt.outcome else RUNNING
            words = SAID[Outcome(attempt.outcome)] if attempt.outcome else "Working"
            icon, tone = ("play", "green") if parked else (mark.icon, mark.tone)
            words = f"Attempt {attempt.number}: {words[0].lower()}{words[1:]}"
            why = "" if parked else attempt.error  # the wait that follows says where
            failed, worked = attempt.outcome == Outcome.FAILED, (end - attempt.started_at).total_seconds()
            yield Entry("work", attempt.started_at, icon, tone, words, worked, why, failed, done)
        until = following or (now if run.is_live and attempt.ended_at else None)
        if until and until > end:
            waited = (until - end).total_seconds()
            where = f"At {waits_for}" if waits_for else "Waiting between steps"
            yield (
                Entry("upstream", end, "hourglass", "blue", where, waited)
                if parked
                else Entry("line", end, "clock", "grey", "In line again", waited)
            )
