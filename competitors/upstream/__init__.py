"""The only outbound HTTP. Importing it registers the sources with the engine."""

from . import apify  # noqa: F401
