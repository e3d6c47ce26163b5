"""axesso_data/amazon-reviews-scraper: reviews of Amazon listings, one search per query of the input."""

from .actor import ACTOR

__all__ = ["ACTOR"]
