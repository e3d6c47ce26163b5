"""Meta's Graph API. Each ad account is read with its own token; nothing is kept for the process."""

from pipeline.contract import register_upstream

from .account import AdAccountReader, Listed, Skipped, meta
from .refusals import ObjectGone

__all__ = ["AdAccountReader", "Listed", "ObjectGone", "Skipped"]

register_upstream(meta)
