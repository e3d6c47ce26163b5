"""Pictures and videos, fetched from addresses that others gave us."""

from .fetch import NotStored, fetch, keep
from .link import expires_at

__all__ = ["NotStored", "expires_at", "fetch", "keep"]
