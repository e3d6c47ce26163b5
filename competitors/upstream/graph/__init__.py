"""Meta's Graph API. Each ad account is read with its own token; nothing is kept for the process."""

from pipeline.contract import register_upstream

from .account import AdAccountReader, Listed, Skipped, meta
from .refusals import AskedTooMuch, NotPermitted, ObjectGone

__all__ = ["AdAccountReader", "AskedTooMuch", "Listed", "NotPermitted", "ObjectGone", "Skipped"]

register_upstream(meta)
