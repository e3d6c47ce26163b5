"""Meta's ad library, as its addresses and its ads are written. For every job type that reads it."""

from .address import clean_address
from .form_field import AdLibraryUrlField
from .item import Ad, Rejected, parse_ad
from .media import MediaLink
from .values import host_and_path

__all__ = ["Ad", "AdLibraryUrlField", "MediaLink", "Rejected", "clean_address", "host_and_path", "parse_ad"]
