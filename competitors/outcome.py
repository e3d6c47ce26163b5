"""Judges what a scrape brought and puts it into words, the same for every job type."""

from collections.abc import Mapping

from pipeline.contract import TransientError, get_source
from pipeline.models import UpstreamRun


def different(totals: Mapping[str, int]) -> int:
    """How many different rows came, whatever was known of them before."""
    return sum(totals.get(name, 0) for name in ("new", "changed", "unchanged"))


def in_words(totals: Mapping[str, int]) -> str:
    """ "42 new, 17 changed, 1,105 unchanged." and what else there was."""
    words = [f"{totals.get(name, 0):,} {name}" for name in ("new", "changed", "unchanged")]
    also = (("duplicate", "duplicates"), ("rejected", "rejected"))
    words += [f"{totals[name]:,} {label}" for name, label in also if totals.get(name)]
    return ", ".join(words) + "."


def require_success(upstream: UpstreamRun, totals: Mapping[str, int], noun: str) -> None:
    """After saving what came: raise TransientError unless the upstream's run succeeded. `noun`: "reviews"."""
    if upstream.status == UpstreamRun.Status.SUCCEEDED:
        return
    label = get_source(upstream.source).label
    new = f"{totals['new']:,} were new" if totals.get("new") else "none were new"
    saved = f"Its {different(totals):,} {noun} are saved; {new}." if different(totals) else f"It had found no {noun}."
    ended = UpstreamRun.ENDED_WORDS.get(UpstreamRun.Status(upstream.status), "failed")
    raise TransientError(f"{label}'s run {ended}. {saved} {upstream.message}".strip())
