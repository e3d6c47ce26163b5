"""How many posts of a research's last run passed each step, and why the others did not."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from competitors.models import RedditResearch
from pipeline.models import Run
from pipeline.states import RunStatus, Verdict
from pipeline.words import counted

from ..job import NAME


@dataclass(frozen=True)
class Step:
    """`unmeasured`: how many of the posts came without a score or a number of comments, so that no filter could drop them."""

    name: str
    count: int
    unmeasured: int
    why: str

    @property
    def measured(self) -> int:
        return max(self.count - self.unmeasured, 0)


@dataclass(frozen=True)
class Funnel:
    """Of a run that has landed its posts."""

    run: Run

    def count(self, name: str) -> int:
        found = self.run.counts.get(name)
        return found if isinstance(found, int) else 0

    @property
    def posts(self) -> int:
        return self.count("posts")

    @property
    def not_measured(self) -> int:
        return self.count("not_measured")

    @property
    def kept(self) -> int:
        return self.count("kept")

    @property
    def doubted(self) -> bool:
        """Whether a person has to decide if the run's result is good."""
        return self.run.verdict != Verdict.OK

    @property
    def note(self) -> str:
        """What the table says below the two figures."""
        if not self.posts:
            return "no posts found"
        if self.not_measured:
            return f"{self.not_measured:,} not measured"
        return f"{100 * self.kept // self.posts} % kept"

    @cached_property
    def steps(self) -> list[Step]:
        asked = self.run.parameters
        return [
            Step("Scraped", self.posts, self.not_measured, self._scraped()),
            Step(
                "Past filters",
                self.count("past_filters"),
                self.count("unmeasured_past_filters"),
                self._dropped(
                    dropped_filters=f"had fewer than {asked.get('min_upvotes')} upvotes or {asked.get('min_comments')} comments",
                    dropped_nsfw="for adults only",
                ),
            ),
            Step(
                "Relevant",
                self.count("relevant"),
                self.count("unmeasured_relevant"),
                self._dropped(
                    dropped_relevance=f"below {_score(asked.get('relevance_threshold'))} relevance"
                    f" or {_score(asked.get('signal_threshold'))} signal"
                ),
            ),
            Step(
                "Kept",
                self.kept,
                self.count("unmeasured_kept"),
                self._dropped(dropped_share=f"not among the best {_percent(asked.get('top_percentile'))} by signal"),
            ),
        ]

    @property
    def widest(self) -> int:
        """Of its bars, in posts."""
        return max(1, *(step.count for step in self.steps))

    def _scraped(self) -> str:
        came = f"{counted(self.posts, 'post')} and {counted(self.count('comments'), 'comment')}."
        merged = self.count("crossposts")
        return f"{came} {counted(merged, 'crosspost')} {'was' if merged == 1 else 'were'} merged." if merged else came

    def _dropped(self, **reasons: str) -> str:
        """'50 had fewer than 20 upvotes or 5 comments, 2 for adults only.'"""
        named = [f"{number:,} {why}" for name, why in reasons.items() if (number := self.count(name))]
        return f"{', '.join(named)}." if named else ""


def funnels(brand_id: UUID, rows: Iterable[RedditResearch]) -> dict[str, Funnel]:
    """By subject, the funnel of its last completed run; in one query for all of them."""
    newest = Window(RowNumber(), partition_by=F("subject"), order_by=F("pk").desc())
    runs = Run.objects.filter(
        brand_id=brand_id, job_type=NAME, status=RunStatus.COMPLETED, subject__in=[row.subject for row in rows]
    )
    return {run.subject: Funnel(run) for run in runs.annotate(back=newest).filter(back=1)}


def _score(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "the least"


def _percent(value: Any) -> str:
    return f"{100 * value:.3g} %" if isinstance(value, int | float) else "share"
