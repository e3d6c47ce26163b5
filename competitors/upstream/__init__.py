"""The only package that sends HTTP to upstreams. Importing it registers the sources with the engine."""

from . import apify, graph  # noqa: F401
