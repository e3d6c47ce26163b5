"""Judges what a scrape brought and puts it into words, the same for every job type."""

import re
from collections.abc import Mapping
from dataclasses import replace

from pipeline.contract import Done, Ingested, TransientError, get_source, rows_met
from pipeline.models import UpstreamRun
from pipeline.queries import History
from pipeline.states import Verdict
from pipeline.words import counted

FAR_FEWER, FEWEST_MISSING = 0.3, 5  # of the usual number of rows, and at least so many below it
SAID = 200  # characters of a status message
_PLAN = re.compile(
    r"\bfree[ -](?:plan|tier|user|account|trial)|\bfreemium|\bupgrad|\b(?:your|current|paid|pricing) plan\b"
    r"|\b(?:on|of|by|with) (?:the|a|this|your) \w+ plan\b|\bsubscri(?:be|ption)\b"
    r"|\btrial (?:has )?(?:expired|ended|is over)|\bdemo (?:run|mode)"
    r"|\bpaying (?:customer|user)|\bquota\b|\bexceeded (?:your|the) (?:\w+ )*usage"
    r"|\b(?:out of|insufficient|not enough|no more) (?:credit|fund|balance|usage)",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?<!\bno )(?<!\bwithout )(?<!\brate )(?<!\brate-)(?<!\btime )(?<!\bmemory )\blimit(?:s|ed)?\b", re.IGNORECASE
)


def in_words(totals: Mapping[str, int]) -> str:
    """ "42 new, 17 changed, 1,105 unchanged." and what else there was."""
    words = [f"{totals.get(name, 0):,} {name}" for name in ("new", "changed", "unchanged")]
    also = (("duplicate", "duplicates"), ("rejected", "rejected"))
    words += [f"{totals[name]:,} {label}" for name, label in also if totals.get(name)]
    return ", ".join(words) + "."


def require_success(upstream: UpstreamRun, totals: Mapping[str, int], row: str) -> None:
    """After saving what came: raise TransientError unless the upstream's run succeeded. `row`: "review".

    `totals` are the run's, over all its starts.
    """
    if upstream.status == UpstreamRun.Status.SUCCEEDED:
        return
    label = get_source(upstream.source).label
    rows = rows_met(totals)
    gone = upstream.status == UpstreamRun.Status.GONE
    nothing = "What it had found could not be read." if gone else f"It had found no {row}s."
    saved = f"{counted(rows, row)} saved." if rows else nothing
    ended = UpstreamRun.ENDED_WORDS.get(UpstreamRun.Status(upstream.status), "failed")
    raise TransientError(f"{label}'s run {ended}. {saved} {upstream.message}".strip())


def judge(
    upstream: UpstreamRun,
    came: Ingested,
    known: History,
    *,
    row: str,
    declared_empty: bool = False,
    empty_is_plausible: bool = False,
) -> Done:
    """Whether the result of a run whose upstream run succeeded is plausible. Only a plausible one counts as fresh.

    `row`: "review". An item that only says that there is nothing is counted by the handler as "says_empty" besides "rejected";
    `declared_empty` is for a source that says so in another way. `empty_is_plausible`: whether the type takes an empty result
    that nobody declared for the truth, where the subject never had rows.
    """
    verdict, reason = _doubt(upstream, came, known, row, declared_empty, empty_is_plausible)
    counts = {name: count for name, count in sorted(came.run.items()) if count}
    return Done(counts, records=rows_met(counts), summary=in_words(counts), verdict=verdict, reason=reason)


def _doubt(
    upstream: UpstreamRun, came: Ingested, known: History, row: str, declared_empty: bool, empty_is_plausible: bool
) -> tuple[Verdict, str]:
    """The verdict and its reason. Empty is judged by history first, then by what the source says."""
    label, found = get_source(upstream.source).label, rows_met(came.run)
    items, unreadable = came.start["raw"], came.start["rejected"] - came.start["says_empty"]
    plan = cut_by_plan(upstream)
    if came.start["rejected"] == items and unreadable > 0:
        return Verdict.SUSPICIOUS, (
            f"None of the {counted(items, 'item')} could be read as {_a(row)}. They are kept."
            f" {label} may have changed its format."
        )
    if came.start["rejected"] == items and (found or known.had_rows):
        before = f"The {counted(found, row)} saved are from a start that failed." if found else "Earlier runs found some."
        return Verdict.SUSPICIOUS, " ".join(filter(None, [f"{label} found no {row}s. {before}", plan]))
    if not found and not plan and (declared_empty or came.start["says_empty"] or empty_is_plausible):
        return Verdict.OK, f"{label} found no {row}s."
    if not found:
        return Verdict.SUSPICIOUS, plan or f"{label} found no {row}s. What was asked for may be gone, or have none."
    if short := cut_short(upstream, row):
        return Verdict.PARTIAL, short
    if known.usual and found < known.usual * FAR_FEWER and known.usual - found >= FEWEST_MISSING:
        return Verdict.SUSPICIOUS, f"Far fewer than usual: {counted(found, row)}, usually about {known.usual:,.0f}."
    return Verdict.OK, ""


def with_unread(done: Done, fields: Mapping[str, str], of: str) -> Done:
    """A plausible result is still to be checked if a field of most rows was given and could not be read.

    `fields`: the marks that count such rows (PageResult.rows), each with the field's plural: {"no_date": "dates"}.
    """
    for mark, words in fields.items():
        if done.verdict == Verdict.OK and done.counts.get(mark, 0) * 2 > rows_met(done.counts):
            reason = f"Most {words} could not be read. {of} may have changed their format."
            return replace(done, verdict=Verdict.SUSPICIOUS, reason=reason)
    return done


def cut_short(upstream: UpstreamRun, row: str) -> str:
    """Why an upstream run that succeeded did not bring all; '' where nothing says so."""
    label = get_source(upstream.source).label
    if plan := cut_by_plan(upstream):
        return plan
    if upstream.endless:
        sent = f"{label} sent {upstream.read_offset:,} items, though at most {upstream.max_items:,} were ordered."
        return f"{sent} The others were not read, so some {row}s may be missing."
    return f"The run reached its cost limit, so some {row}s may be missing." if upstream.capped else ""


def cut_by_plan(upstream: UpstreamRun) -> str:
    """A sentence where an upstream run that succeeded was cut by our plan there, which only its status message says."""
    message = upstream.message
    named = _PLAN.search(message) or (not upstream.capped and _LIMIT.search(message))  # our own cap is a limit too
    if upstream.status != UpstreamRun.Status.SUCCEEDED or not named:
        return ""
    label = get_source(upstream.source).label
    return f"Cut by the plan at {label}, so some data is missing. {label} says: “{message.strip()[:SAID]}”"


def _a(thing: str) -> str:
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"
