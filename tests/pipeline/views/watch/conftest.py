"""Fixtures are found here by pytest."""

from tests.receivers import inbox, receiver

__all__ = ["inbox", "receiver"]
