"""A Reddit research: the posts, what is made of them, the comments of those past the filters, and the quotes of those kept.

Two paid starts of one run: posts without comments first, which are many and cheap; then the comments of the few that count.
"""

from dataclasses import replace
from statistics import median
from typing import Any

from competitors.steps.outcome import cut_short, judge, require_success, with_unread
from pipeline import queries
from pipeline.contract import Context, Done, Ingested, PageResult, TransientError, get_type
from pipeline.states import Verdict
from pipeline.words import counted

from .asked import Asked
from .findings.funnel import sift
from .findings.landing import save_page
from .findings.quotes import copy_found, save_quotes
from .order import COMMENTS, POSTS, Thread, comments_order, is_enough, left_of, posts_order

MORE_UNKNOWN, FEWEST_UNKNOWN = 0.3, 5  # of a run's posts, above what is usual, and at least so many


def research_reddit(ctx: Context, asked: Asked) -> Done:
    """Used on workers, which are free while it waits, and in legacy mode.

    Raises TransientError if one of the two upstream runs failed, after saving what it had.
    """
    good_runs = queries.good_runs_of(ctx.run.job_type, ctx.run.brand_id, ctx.run.subject, ctx.run.about)
    price = queries.price_now(ctx.run.job_type).usd
    order = posts_order(asked, left_of(ctx.run, POSTS, asked.stop_at_usd), good_runs, price)
    upstream = ctx.wait_for(ctx.start(order, POSTS))
    fetched = upstream.finished_at or ctx.now()

    def land_posts(items: list[Any], offset: int) -> PageResult:
        return save_page(items, ctx.run, fetched, with_posts=True)

    came = ctx.ingest(upstream, land_posts)
    ctx.check()
    try:
        require_success(upstream, came.run, "post")
        threads = ctx.step("threads", lambda: sift(ctx, asked).threads())
        came, short = _read_comments(ctx, asked, threads, came)
    except TransientError:
        _finish(ctx, asked)  # a replay, or who looks before the next try, has what came so far
        raise
    known = queries.history(get_type(ctx.run.job_type), ctx.run.parameters, good_runs, but=ctx.run)
    done = judge(upstream, came, known, row="post", empty_is_plausible=True)
    done = with_unread(done, {"no_date": "dates", "no_score": "scores"}, of="Reddit")
    done = replace(done, counts={**done.counts, **_finish(ctx, asked)})
    others = [run.counts for run in good_runs if run.pk != ctx.run.pk]
    done = _doubted(done, Verdict.SUSPICIOUS, _mostly_unknown(done.counts, others))
    done = _doubted(done, *short)
    return replace(done, summary=_in_words(done))


def _read_comments(ctx: Context, asked: Asked, threads: list[Thread], came: Ingested) -> tuple[Ingested, tuple[Verdict, str]]:
    """The second start. Returns what the run has brought so far, and what its comments lack."""
    nothing = Verdict.OK, ""
    if not threads:
        return came, nothing
    price = queries.price_now(ctx.run.job_type).usd
    left = left_of(ctx.run, COMMENTS, asked.stop_at_usd)
    if not is_enough(left, price) and not ctx.run.upstream_runs.filter(step=COMMENTS).exists():
        reason = f"The run reached its limit of ${asked.stop_at_usd:.2f}, so no comments were read."
        return came, (Verdict.PARTIAL, reason)
    upstream = ctx.wait_for(ctx.start(comments_order(threads, left, price), COMMENTS))
    fetched = upstream.finished_at or ctx.now()

    def land_comments(items: list[Any], offset: int) -> PageResult:
        return save_page(items, ctx.run, fetched, with_posts=False)

    more = ctx.ingest(upstream, land_comments)
    ctx.check()
    require_success(upstream, more.run, "post")
    total = Ingested(more.run, came.start)
    if short := cut_short(upstream, "comment"):
        return total, (Verdict.PARTIAL, short)
    if more.start["raw"] and more.start["rejected"] == more.start["raw"]:
        unread = f"None of the {counted(more.start['raw'], 'item')} could be read as a comment. They are kept."
        return total, (Verdict.SUSPICIOUS, unread)
    if not more.start["raw"]:
        return total, (Verdict.SUSPICIOUS, f"No comments came, though {counted(len(threads), 'post')} should have some.")
    return total, nothing


def _finish(ctx: Context, asked: Asked) -> dict[str, int]:
    """Judge the posts, and save the quotes of those kept. Returns the counts of both."""
    sifted = sift(ctx, asked)
    counts = sifted.counts | save_quotes(ctx, sifted.kept, sifted.scorer)
    if asked.copies_quotes and asked.persona_id is not None:
        counts["copied"] = copy_found(ctx, asked.persona_id, sifted.kept)
    return {name: count for name, count in counts.items() if count}


def _mostly_unknown(counts: dict[str, int], others: list[dict[str, int]]) -> str:
    """Why the scores are to be doubted: far more posts than usual came without them. '' if they did not."""
    posts, unknown = counts.get("posts", 0), counts.get("not_measured", 0)
    usual = median([of.get("not_measured", 0) / of["posts"] for of in others if of.get("posts")] or [0])
    if unknown < FEWEST_UNKNOWN or unknown / posts - usual < MORE_UNKNOWN:
        return ""
    return f"{unknown:,} of {counted(posts, 'post')} came without a score or a number of comments, usually {usual:.0%}."


def _doubted(done: Done, verdict: Verdict, reason: str) -> Done:
    """The first doubt stands."""
    return replace(done, verdict=verdict, reason=reason) if reason and done.verdict == Verdict.OK else done


def _in_words(done: Done) -> str:
    counts = done.counts
    if not counts.get("posts"):
        return done.summary
    past, relevant, kept, new = (counts.get(name, 0) for name in ("past_filters", "relevant", "kept", "new_quotes"))
    comments, quotes = counted(counts.get("comments", 0), "comment"), counted(counts.get("quotes", 0), "quote")
    steps = f"{past:,} past the filters, {relevant:,} relevant, {kept:,} kept."
    return f"{done.summary} {steps} {comments}. {quotes}, {new:,} of them new."
