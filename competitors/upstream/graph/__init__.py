"""Meta's Graph API. Each ad account is read with its own token; nothing is kept for the process."""

from pipeline.contract import register_upstream

from .account import AdAccountReader, Listed, Skipped, meta
from .refusals import AskedTooMuch, BlockedAtMeta, NotPermitted, ObjectGone, TokenRefused
from .tokens import Token, TokenState

__all__ = [
    "AdAccountReader",
    "AskedTooMuch",
    "BlockedAtMeta",
    "Listed",
    "NotPermitted",
    "ObjectGone",
    "Skipped",
    "Token",
    "TokenRefused",
    "TokenState",
]

register_upstream(meta)
