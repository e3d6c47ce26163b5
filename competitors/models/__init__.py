"""The domain's rows. Import models from here."""

from .ads import AdReading, CompetitorAd, CompetitorAdLibrary, LandingPage, LibraryAd
from .amazon import AmazonReview, CompetitorAmazonUrl
from .competitors import Competitor

__all__ = [
    "AdReading",
    "AmazonReview",
    "Competitor",
    "CompetitorAd",
    "CompetitorAdLibrary",
    "CompetitorAmazonUrl",
    "LandingPage",
    "LibraryAd",
]
