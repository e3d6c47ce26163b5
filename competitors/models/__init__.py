"""The domain's rows. Import models from here."""

from .ads import AdReading, CompetitorAd, CompetitorAdLibrary, LandingPage, LibraryAd
from .amazon import AmazonReview, CompetitorAmazonUrl
from .brand_ads import AdAccount, BrandAd
from .competitors import Competitor
from .media import AdMedia, Media, MediaReason, MediaStatus
from .templates import TemplateCandidate, TemplateCategory, TemplateDecision, TemplateNiche

__all__ = [
    "AdAccount",
    "AdMedia",
    "AdReading",
    "AmazonReview",
    "BrandAd",
    "Competitor",
    "CompetitorAd",
    "CompetitorAdLibrary",
    "CompetitorAmazonUrl",
    "LandingPage",
    "LibraryAd",
    "Media",
    "MediaReason",
    "MediaStatus",
    "TemplateCandidate",
    "TemplateCategory",
    "TemplateDecision",
    "TemplateNiche",
]
