"""The domain's rows. Import models from here."""

from .ad_days import AccountDay, AdClassification, AdDay, AdDemographicDay, AdMonth, AttentionRule
from .ads import AdPage, AdReading, CompetitorAd, CompetitorAdLibrary, LandingPage, LibraryAd
from .amazon import AmazonReview, CompetitorAmazonUrl
from .brand_ads import AdAccount, AdGap, BrandAd, attribution_words
from .competitors import Competitor
from .media import AdMedia, Media, MediaReason, MediaStatus
from .reddit import (
    BrandSubreddit,
    LeftAt,
    Persona,
    PersonaQuote,
    RedditComment,
    RedditFinding,
    RedditPost,
    RedditQuote,
    RedditResearch,
    post_url,
    reddit_subject,
    subreddit_name,
)
from .templates import TemplateCandidate, TemplateCategory, TemplateDecision, TemplateNiche

__all__ = [
    "AccountDay",
    "AdAccount",
    "AdClassification",
    "AdDay",
    "AdDemographicDay",
    "AdGap",
    "AdMedia",
    "AdMonth",
    "AdPage",
    "AdReading",
    "AmazonReview",
    "AttentionRule",
    "BrandAd",
    "BrandSubreddit",
    "Competitor",
    "CompetitorAd",
    "CompetitorAdLibrary",
    "CompetitorAmazonUrl",
    "LandingPage",
    "LeftAt",
    "LibraryAd",
    "Media",
    "MediaReason",
    "MediaStatus",
    "Persona",
    "PersonaQuote",
    "RedditComment",
    "RedditFinding",
    "RedditPost",
    "RedditQuote",
    "RedditResearch",
    "TemplateCandidate",
    "TemplateCategory",
    "TemplateDecision",
    "TemplateNiche",
    "attribution_words",
    "post_url",
    "reddit_subject",
    "subreddit_name",
]
