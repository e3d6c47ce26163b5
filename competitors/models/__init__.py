"""The domain's rows. Import models from here."""

from .ads import AdReading, CompetitorAd, CompetitorAdLibrary, LandingPage, LibraryAd
from .amazon import AmazonReview, CompetitorAmazonUrl
from .competitors import Competitor
from .media import Media, MediaReason, MediaStatus

__all__ = [
    "AdReading",
    "AmazonReview",
    "Competitor",
    "CompetitorAd",
    "CompetitorAdLibrary",
    "CompetitorAmazonUrl",
    "LandingPage",
    "LibraryAd",
    "Media",
    "MediaReason",
    "MediaStatus",
]
