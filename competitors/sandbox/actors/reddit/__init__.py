"""fatihtahta/reddit-scraper-search-fast: posts and comments of Reddit, by query, subreddit or address."""

from .actor import ACTOR

__all__ = ["ACTOR"]
