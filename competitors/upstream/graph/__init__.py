"""Meta's Graph API. Each ad account is read with its own token; nothing is kept for the process."""

from pipeline.contract import register_upstream

from .account import SYNC_DAYS, AdAccountReader, Listed, Skipped, meta
from .http import Page
from .insights import InsightsPart, Lost, StartedReport
from .refusals import AskedTooMuch, BlockedAtMeta, NotPermitted, ObjectGone, TokenRefused
from .reports import ReportState, ReportStatus
from .tokens import Token, TokenState

__all__ = [
    "SYNC_DAYS",
    "AdAccountReader",
    "AskedTooMuch",
    "BlockedAtMeta",
    "InsightsPart",
    "Listed",
    "Lost",
    "NotPermitted",
    "ObjectGone",
    "Page",
    "ReportState",
    "ReportStatus",
    "Skipped",
    "StartedReport",
    "Token",
    "TokenRefused",
    "TokenState",
]

register_upstream(meta)
