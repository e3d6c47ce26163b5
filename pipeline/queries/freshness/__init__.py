"""How fresh data is: by the clock, for one subject, for a page's banner, and for all brands."""

from .banner import WORST_FIRST, Banner, SubjectState, banner, no_subject
from .counts import Counts
from .datasets import Dataset, datasets, usual_max_age
from .judged import Judged, judged
from .matrix import WORST, BrandRow, Cell, matrix, needing_attention
from .one_cell import OpenCell, open_cell
from .refresh import Bill, Wish, bill
from .rows import FreshnessRow, badge_of, freshness, freshness_row

__all__ = [
    "WORST",
    "WORST_FIRST",
    "Banner",
    "Bill",
    "BrandRow",
    "Cell",
    "Counts",
    "Dataset",
    "FreshnessRow",
    "Judged",
    "OpenCell",
    "SubjectState",
    "Wish",
    "badge_of",
    "banner",
    "bill",
    "datasets",
    "freshness",
    "freshness_row",
    "judged",
    "matrix",
    "needing_attention",
    "no_subject",
    "open_cell",
    "usual_max_age",
]
