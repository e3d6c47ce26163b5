"""What is done beside the runs, now and then."""

from .thread import Housekeeping

__all__ = ["Housekeeping"]
