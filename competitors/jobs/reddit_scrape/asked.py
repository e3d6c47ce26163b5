"""What a run is asked for, read from its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from competitors.models import reddit_subject

USUAL_POSTS, MOST_POSTS = 500, 5000
USUAL_STOP = Decimal(3)


@dataclass(frozen=True)
class Asked:
    queries: tuple[str, ...]
    subreddits: tuple[str, ...]
    timeframe: str
    max_posts: int
    min_upvotes: int
    min_comments: int
    relevance_threshold: float
    signal_threshold: float
    top_percentile: float
    topic: str
    persona_id: int | None
    copies_quotes: bool
    stop_at_usd: Decimal

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Asked":
        queries = tuple(parameters["search_queries"])
        about = [parameters.get("topic_context"), parameters.get("persona_context"), *queries]
        return cls(
            queries=queries,
            subreddits=tuple(parameters.get("subreddits") or ()),
            timeframe=parameters.get("timeframe") or "month",
            max_posts=parameters.get("max_posts", USUAL_POSTS),
            min_upvotes=parameters.get("min_upvotes", 20),
            min_comments=parameters.get("min_comments", 5),
            relevance_threshold=parameters.get("relevance_threshold", 0.6),
            signal_threshold=parameters.get("signal_threshold", 0.5),
            top_percentile=parameters.get("top_percentile", 0.2),
            topic="\n".join(filter(None, about)),
            persona_id=parameters.get("persona_id"),
            copies_quotes=bool(parameters.get("auto_sync_to_persona")),
            stop_at_usd=Decimal(str(parameters.get("stop_at_usd") or USUAL_STOP)),
        )

    @property
    def key(self) -> str:
        return reddit_subject(self.queries, self.subreddits)

    @property
    def label(self) -> str:
        """Of a run that no research is saved for: “calming chews” and 2 more in r/dogs."""
        more = f" and {len(self.queries) - 1} more" if len(self.queries) > 1 else ""
        places = f" in {', '.join(f'r/{name}' for name in self.subreddits)}" if self.subreddits else ""
        return f"“{self.queries[0]}”{more}{places}"

    @property
    def sources(self) -> int:
        """How many searches are made: each query in each subreddit, or in all of Reddit."""
        return len(self.queries) * max(len(self.subreddits), 1)
