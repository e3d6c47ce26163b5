"""Fixtures are found here by pytest."""

from tests.buckets import bucket

__all__ = ["bucket"]
