"""Values out of the text that sources send: a value that cannot be read is None, never a guess. Pure, and never raises."""

from .counts import read_count
from .dates import month_names, read_date
from .stars import read_stars, without_rating
from .text import decoded, text, visible

__all__ = ["decoded", "month_names", "read_count", "read_date", "read_stars", "text", "visible", "without_rating"]
