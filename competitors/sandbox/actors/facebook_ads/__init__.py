"""curious_coder/facebook-ads-library-scraper: ads of Meta's ad library, one search or page per URL of the input."""

from .actor import ACTOR

__all__ = ["ACTOR"]
