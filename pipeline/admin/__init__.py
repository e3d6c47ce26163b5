"""The stock admin over the engine's rows: all searchable, read-only where they are the engine's."""

from . import jobs, ledger, limits, runs  # noqa: F401  each registers its models
