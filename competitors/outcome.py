"""Judges what a scrape brought and puts it into words, the same for every job type."""

from collections.abc import Mapping

from pipeline.contract import TransientError, get_source, rows_met
from pipeline.models import UpstreamRun
from pipeline.words import counted


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
    saved = f"{counted(rows, row)} saved." if rows else f"It had found no {row}s."
    ended = UpstreamRun.ENDED_WORDS.get(UpstreamRun.Status(upstream.status), "failed")
    raise TransientError(f"{label}'s run {ended}. {saved} {upstream.message}".strip())
