"""The domain's rows. Import models from here."""

from .amazon import AmazonReview, CompetitorAmazonUrl
from .competitors import Competitor

__all__ = ["AmazonReview", "Competitor", "CompetitorAmazonUrl"]
