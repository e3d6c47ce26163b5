"""What is told from figures, all in one place. None: Meta sent no value, or there is nothing to divide by; that is not 0.

Reach and frequency are not among them: people who saw an ad on two days would count twice.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

Number = Decimal | int | None


class Figures(NamedTuple):
    """Of an ad, an account or a part of one, over a day or several. A tuple, because a page adds up thousands."""

    spend: Decimal | None = None
    impressions: Number = None
    clicks: Number = None
    link_clicks: Number = None
    purchases: Decimal | None = None
    purchase_value: Decimal | None = None
    video_views: Number = None
    video_thruplays: Number = None
    video_impressions: Number = None  # of the ads that have a video

    @property
    def roas(self) -> Decimal | None:
        return per(self.purchase_value, self.spend)

    @property
    def ctr(self) -> Decimal | None:
        return per(self.link_clicks, self.impressions)

    @property
    def cpc(self) -> Decimal | None:
        return per(self.spend, self.link_clicks)

    @property
    def cpm(self) -> Decimal | None:
        each = per(self.spend, self.impressions)
        return None if each is None else each * 1000

    @property
    def hook(self) -> Decimal | None:
        """How many of those who were shown a video watched three seconds."""
        return per(self.video_views, self.video_impressions)

    @property
    def hold(self) -> Decimal | None:
        """How many of those watched 15 seconds, or to the end."""
        return per(self.video_thruplays, self.video_views)

    @property
    def delivered(self) -> bool:
        return bool(self.impressions or self.spend)

    @property
    def known(self) -> bool:
        """Whether Meta sent anything."""
        return any(value is not None for value in self)


NAMES = Figures._fields


def per(part: Number, whole: Number) -> Decimal | None:
    return None if part is None or not whole else Decimal(part) / Decimal(whole)


def added(several: Iterable[Figures]) -> Figures:
    """The sum of what is known. What none of them knows stays unknown."""
    columns = ([value for value in column if value is not None] for column in zip(*several, strict=True))
    sums = [sum(known) if known else None for known in columns]
    return Figures(*sums)


def change(now: Number, before: Number) -> Decimal | None:
    """0.11 for 11 % more."""
    return None if now is None or not before else Decimal(now) / Decimal(before) - 1


def has_fallen(now: Figures, before: Figures, percent: int) -> bool:
    """Whether the return fell by so much. False if there is nothing to compare. Spend without a known value counts as no
    return: Meta leaves a value of nothing out. Without a division, as a page asks for a thousand ads.
    """
    if not (now.spend and before.spend and before.purchase_value):
        return False
    return (now.purchase_value or 0) * before.spend * 100 <= (100 - percent) * before.purchase_value * now.spend
