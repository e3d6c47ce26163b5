"""A quote as the pages and the file show it: where it was said, and what its scores are made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from competitors.models import RedditQuote, post_url

from ..why import Why


@dataclass(frozen=True)
class Card:
    quote: RedditQuote

    @property
    def url(self) -> str:
        """The comment's own address, if a comment says it."""
        post, comment = self.quote.post, self.quote.comment
        return post_url(post.permalink, post.reddit_id, comment.reddit_id if comment else "")

    @property
    def upvotes(self) -> int | None:
        """Of the comment, if a comment says it."""
        return (self.quote.comment or self.quote.post).score

    @property
    def written_at(self) -> datetime | None:
        comment = self.quote.comment
        return (comment and comment.created_at) or self.quote.post.created_at

    @property
    def why(self) -> Why:
        return Why.of(self.quote)

    @property
    def personas(self) -> list[Any]:
        return [copied.persona for copied in self.quote.personas.all()]
