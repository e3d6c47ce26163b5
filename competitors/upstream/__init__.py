"""The only package that sends HTTP to upstreams. Importing it registers the sources with the engine."""

from . import apify  # noqa: F401
