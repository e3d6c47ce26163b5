"""How many of a listing's reviews have how many stars, in figures, in words and as bars."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count

from competitors.models import AmazonReview, CompetitorAmazonUrl

FULL_WIDTH = 96  # of a bar, in the drawing's own units
ROW_HEIGHT = 10


@dataclass(frozen=True)
class Bar:
    """The drawing's lengths are texts, which a template writes faster than numbers."""

    stars: str
    percent: int
    width: str  # '' for no bar
    top: str
    text_top: str


@dataclass(frozen=True)
class StarSpread:
    """`by_stars`: stars -> reviews. `unrated`: reviews whose stars could not be read. They count, but not in the average."""

    by_stars: dict[int, int]
    unrated: int = 0

    @property
    def rated(self) -> int:
        return sum(self.by_stars.values())

    @property
    def saved(self) -> int:
        return self.rated + self.unrated

    @property
    def average(self) -> str:
        """'4.4'; '' while nothing is rated."""
        if not self.rated:
            return ""
        return f"{sum(stars * count for stars, count in self.by_stars.items()) / self.rated:.1f}"

    @cached_property
    def bars(self) -> list[Bar]:
        """Five stars first. A bar is at least one unit wide, so that a single review shows."""
        bars = []
        for row, stars in enumerate(range(5, 0, -1)):
            count = self.by_stars.get(stars, 0)
            share = count / self.rated if self.rated else 0
            width = str(max(round(share * FULL_WIDTH), 1)) if count else ""
            top = row * ROW_HEIGHT + 2
            bars.append(Bar(str(stars), round(share * 100), width, str(top), str(top + 6)))
        return bars

    @property
    def words(self) -> str:
        """What the drawing shows, for screen readers."""
        return "Star spread: " + ", ".join(f"{bar.stars} stars {bar.percent} %" for bar in self.bars)


def star_spreads(listings: Iterable[CompetitorAmazonUrl]) -> dict[tuple[str, str], StarSpread]:
    """Spread of each (asin, domain_code), in one query for all listings."""
    wanted = {(listing.asin, listing.domain_code) for listing in listings}
    found: dict[tuple[str, str], dict[int | None, int]] = {pair: {} for pair in wanted}
    rows = AmazonReview.objects.filter(asin__in={asin for asin, _ in wanted}).order_by()
    for row in rows.values("asin", "domain_code", "rating").annotate(n=Count("*")):
        if (row["asin"], row["domain_code"]) in found:
            found[row["asin"], row["domain_code"]][row["rating"]] = row["n"]
    return {
        pair: StarSpread({stars: n for stars, n in counts.items() if stars}, counts.get(None, 0))
        for pair, counts in found.items()
    }
