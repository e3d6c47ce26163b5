"""What a research makes of the posts that it found: past the filters, relevant, kept. Each post is told where it was left.

Missing is unknown: a post without a score or a number of comments is not below what is asked for, so the filters let it pass.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from competitors.models import LeftAt, RedditFinding, RedditPost
from competitors.scoring import Scorer
from pipeline.contract import Context
from pipeline.models import Run

from ..asked import Asked
from ..order import COMMENTS_EACH, Thread

AT_ONCE = 100  # rows that are written at once
STEPS = {  # by where a post was left: which steps of the funnel it had passed
    LeftAt.NSFW: (),
    LeftAt.FILTERS: (),
    LeftAt.NOT_MEASURED: ("past_filters",),
    LeftAt.RELEVANCE: ("past_filters",),
    LeftAt.SHARE: ("past_filters", "relevant"),
    LeftAt.KEPT: ("past_filters", "relevant", "kept"),
}
DROPPED = {
    LeftAt.NSFW: "dropped_nsfw",
    LeftAt.FILTERS: "dropped_filters",
    LeftAt.NOT_MEASURED: "dropped_relevance",  # it has no words that could be scored
    LeftAt.RELEVANCE: "dropped_relevance",
    LeftAt.SHARE: "dropped_share",
}


@dataclass(frozen=True)
class Sifted:
    findings: Sequence[RedditFinding]
    scorer: Scorer

    @property
    def kept(self) -> list[RedditPost]:
        return [finding.post for finding in self.findings if finding.left_at == LeftAt.KEPT]

    @property
    def counts(self) -> dict[str, int]:
        counts = Counter(posts=len(self.findings))
        for finding in self.findings:
            left_at = LeftAt(finding.left_at)
            steps = STEPS[left_at]
            counts.update(steps)
            counts.update([DROPPED[left_at]] if left_at in DROPPED else [])
            if finding.unmeasured:
                counts.update(["not_measured", *(f"unmeasured_{step}" for step in steps)])
        return dict(counts)

    def threads(self) -> list[Thread]:
        """The posts past the filters that may have comments, best ones first: if the money ends, it was spent on these."""
        past = [finding for finding in self.findings if "past_filters" in STEPS[LeftAt(finding.left_at)]]
        past.sort(key=lambda finding: (-(finding.relevance or 0), finding.post_id))
        found = [(finding.post.url, _comments(finding.post)) for finding in past]
        return [(url, comments) for url, comments in found if comments]


def sift(ctx: Context, asked: Asked) -> Sifted:
    """Score what this run found, and save how far each post came. The same each time, unless the code has changed."""
    findings = list(found_by(ctx.run))
    scorer = Scorer(asked.topic, [words(finding.post) for finding in findings])
    for finding in findings:
        finding.relevance = finding.signal = None
        finding.why = {}
        finding.left_at = _filtered(finding, asked) or _scored(finding, scorer, asked)
    relevant = [finding for finding in findings if not finding.left_at]
    relevant.sort(key=lambda finding: (-(finding.signal or 0), -(finding.relevance or 0), finding.post_id))
    kept = math.ceil(len(relevant) * asked.top_percentile)
    for place, finding in enumerate(relevant):
        finding.left_at = LeftAt.KEPT if place < kept else LeftAt.SHARE
    _save(ctx, findings)
    return Sifted(findings, scorer)


def found_by(run: Run) -> QuerySet[RedditFinding]:
    found = RedditFinding.objects.filter(subject=run.subject, post__brand=run.brand, last_run=run)
    return found.select_related("post").order_by("post_id")


def words(post: RedditPost) -> str:
    return f"{post.title}\n{post.body}".strip()


def _filtered(finding: RedditFinding, asked: Asked) -> str:
    post = finding.post
    if post.over_18:
        return LeftAt.NSFW
    if post.score is not None and post.score < asked.min_upvotes:
        return LeftAt.FILTERS
    if post.num_comments is not None and post.num_comments < asked.min_comments:
        return LeftAt.FILTERS
    return ""


def _scored(finding: RedditFinding, scorer: Scorer, asked: Asked) -> str:
    if not words(finding.post):
        return LeftAt.NOT_MEASURED
    score = scorer.score(words(finding.post))
    finding.relevance, finding.signal, finding.why = score.relevance, score.signal, score.why
    enough = score.relevance >= asked.relevance_threshold and score.signal >= asked.signal_threshold
    return "" if enough else LeftAt.RELEVANCE


def _save(ctx: Context, findings: Sequence[RedditFinding]) -> None:
    for some in _some(findings):
        ctx.check()
        posts = []
        for finding in some:
            post = finding.post
            post.left_at, post.relevance, post.signal, post.why = (
                finding.left_at,
                finding.relevance,
                finding.signal,
                finding.why,
            )
            posts.append(post)
        fields = ["left_at", "relevance", "signal", "why"]
        RedditFinding.objects.bulk_update(some, fields)
        RedditPost.objects.bulk_update(posts, fields)


def _some(findings: Sequence[RedditFinding]) -> Iterator[Sequence[RedditFinding]]:
    for start in range(0, len(findings), AT_ONCE):
        yield findings[start : start + AT_ONCE]


def _comments(post: RedditPost) -> int:
    return COMMENTS_EACH if post.num_comments is None else min(post.num_comments, COMMENTS_EACH)
