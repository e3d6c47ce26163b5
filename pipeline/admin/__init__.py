"""The stock admin for the pipeline: everything is searchable, and what only the engine writes is read-only."""

from . import jobs, ledger, limits, people, runs  # noqa: F401  each registers its models
