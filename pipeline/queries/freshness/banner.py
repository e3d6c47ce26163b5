"""The one banner that a page shows for its subjects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from ... import states
from ...models import Run, UpstreamRun
from ...states import RunStatus
from ...words import days, plural
from ..explain import activity
from ..runs import RunRow
from .rows import FreshnessRow, doing, retries

WORST_FIRST = (states.STALE, states.LATE, states.NEVER, states.FRESH)


@dataclass(frozen=True)
class SubjectState:
    """What the banner knows of one subject. `name` as on its buttons; `price`: of a scrape with the usual options, USD."""

    key: str
    name: str
    freshness: FreshnessRow
    live: RunRow | None = None
    price: Decimal | None = None

    @property
    def trouble(self) -> bool:
        return self.freshness.badge is not states.FRESH or self.freshness.failed or self.freshness.doubted


@dataclass(frozen=True)
class Banner:
    """`subject` is the key of the subject that text, run and button are about; `action` what the button does to it.

    'scrape' starts a new scrape of the subject, 'add' leads to where one is added; 'run_now', 'retry' and 'accept' are actions on
    `run`; '' is no button.
    """

    tone: str
    title: str
    text: str
    icon: str = "clock"
    subject: str = ""
    run: Run | None = None
    action: str = ""
    label: str = ""
    price: Decimal | None = None


def banner(label: str, subjects: Sequence[SubjectState], *, noun: str, verb: str) -> Banner | None:
    """The one banner for several subjects, None while all are fresh and well. `noun`: what one subject is called.

    It speaks of the worst subject that no run is busy with yet, and offers what fixes it. `verb`: of its button.
    """
    ranked = sorted((one for one in subjects if one.trouble), key=_badness)
    if not ranked:
        return None
    about = next((one for one in ranked if not one.live), ranked[0])
    run = about.live.run if about.live else about.freshness.run
    tone, title = _title(label, subjects, ranked, noun)
    action, words, price = _fix(about, verb)
    return Banner(
        tone=tone,
        title=title,
        text=_text(about, ranked, len(subjects) > 1, noun),
        icon="dash" if tone == "tone-grey" else "clock",
        subject=about.key,
        run=run,
        action=action,
        label=words,
        price=price,
    )


def no_subject(label: str, noun: str) -> Banner:
    """For a page that has no subject yet."""
    return Banner("tone-grey", f"{label}: no {noun} yet.", "Add one, then fetch them.", "dash", action="add", label=f"Add {noun}")


def _badness(one: SubjectState) -> tuple[int, float]:
    return WORST_FIRST.index(one.freshness.badge), -(one.freshness.age or timedelta()).total_seconds()


def _title(label: str, subjects: Sequence[SubjectState], ranked: list[SubjectState], noun: str) -> tuple[str, str]:
    """Tone and title: how many are how bad."""
    of, several, first = f"of {len(subjects)} {plural(noun)}", len(subjects) > 1, ranked[0].freshness
    old = [one for one in ranked if one.freshness.badge in (states.STALE, states.LATE)]
    never = sum(one.freshness.badge is states.NEVER for one in ranked)
    if old:
        oldest = days(max(one.freshness.age for one in old if one.freshness.age is not None))
        tone = "tone-red" if first.badge is states.STALE else "tone-amber"
        return tone, f"{label}: {len(old)} {of} out of date, oldest {oldest}." if several else f"{label}: {oldest} old."
    if never:
        return "tone-grey", f"{label}: {never} {of} never refreshed." if several else f"{label}: never refreshed."
    whole = first.run is not None and first.run.status == RunStatus.FAILED
    what = "result needs a check" if not first.failed else f"{'run' if whole else 'try'} failed"
    which = f"the last {what}" if not several else f"the last {what} for {len(ranked)} {of}"
    return "tone-amber", f"{label}: still fresh, but {which}."


def _text(about: SubjectState, ranked: list[SubjectState], several: bool, noun: str) -> str:
    fresh, words = about.freshness, []
    if about.live:
        run = about.live.run
        words.append(doing(run, activity(run, timezone.now()), "them", f"waits. {about.live.explanation}"))
    elif fresh.run and (fresh.failed or fresh.doubted) and fresh.status:
        part = fresh.run.status == RunStatus.COMPLETED  # the run went on without it
        failed = "did not refresh them" if part else "failed"
        words.append(f"Run {fresh.run.pk} {failed if fresh.failed else 'needs a check'}: {fresh.status.error_message}")
    elif fresh.badge in (states.STALE, states.LATE):
        words.append("Numbers on this page may be wrong.")
    if several and words:
        words[0] = f"{about.name}: {words[0]}"
    busy = sum(one is not about and one.live is not None for one in ranked)
    if busy:
        words.append(f"{busy} other {f'{noun} has a run' if busy == 1 else f'{plural(noun)} have runs'} already.")
    never = sum(one.freshness.badge is states.NEVER for one in ranked)
    if never and ranked[0].freshness.badge is not states.NEVER:
        words.append(f"{never} more never refreshed, so they are missing from the numbers here.")
    return " ".join(words)


def _fix(about: SubjectState, verb: str) -> tuple[str, str, Decimal | None]:
    """The action that fixes the subject, its button's words and what it costs."""
    run = about.freshness.run
    if about.live:
        soon = retries(about.live.run) and "run_now" in about.live.actions
        return ("run_now", f"Try run {about.live.run.pk} now", None) if soon else ("", "", None)
    if run and about.freshness.doubted:
        return "accept", f"Accept the result of run {run.pk}", None
    if run and about.freshness.failed and _has_paid_data(run):
        return "retry", f"Retry run {run.pk}, already paid", None
    return "scrape", f"{verb}: {about.name}", about.price


def _has_paid_data(run: Run) -> bool:
    """Whether its upstream run succeeded: a retry then saves that data and pays nothing."""
    return UpstreamRun.objects.filter(run=run, status=UpstreamRun.Status.SUCCEEDED).exists()
