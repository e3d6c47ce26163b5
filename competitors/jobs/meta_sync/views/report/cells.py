"""An ad's line in the table, in words. '' is a value that Meta did not send."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from competitors.models import AdAccount, AdClassification, AdMedia, BrandAd, MediaStatus
from pipeline.states import Badge
from pipeline.words.foreign import shortened

from ...figures.ads import AdRow
from ...figures.rates import Figures, has_fallen
from ...figures.words import count, money, percent, ratio

Role = AdMedia.Role
NAME = 120  # characters of it that are shown
PICTURES = (Role.THUMBNAIL, Role.PICTURE, Role.POSTER)  # in this order


@dataclass(frozen=True)
class Rate:
    """A share with its bar. `width`: of 100."""

    text: str
    width: str = ""


@dataclass(frozen=True)
class AdLine:
    ad_id: str
    name: str
    about: str
    state: Badge
    picture: AdMedia | None
    spend: str
    impressions: str
    roas: str
    fell: str
    ctr: str
    cpc: str
    cpm: str
    has_video: bool
    rates: Sequence[tuple[str, Rate]]


def lines(account: AdAccount, rows: Sequence[AdRow], drop: int) -> list[AdLine]:
    """`drop`: from what fall of the return, in percent, the line says so. Two queries."""
    ads = BrandAd.objects.filter(ad_account=account, ad_id__in=[row.ad_id for row in rows]).select_related("classification")
    known = {ad.ad_id: ad for ad in ads.only("ad_id", "is_video", "classification__format", "classification__awareness")}
    pictures = _pictures(known.values())
    # The longest bar is the best rate on this sheet.
    most = max((rate for row in rows for rate in (row.now.hook, row.now.hold) if rate), default=Decimal(1))
    return [_line(row, known.get(row.ad_id), pictures.get(row.ad_id), account.currency, drop, most) for row in rows]


def kind_in_words(ad: BrandAd | None) -> str:
    """'Video · Testimonial · Problem aware'."""
    if ad is None:
        return "No longer in the account’s list of ads"
    found: AdClassification | None = getattr(ad, "classification", None)
    words = ["Video" if ad.is_video else "Picture"]
    if found and found.format != AdClassification.Format.UNKNOWN:
        words.append(found.get_format_display())
    if found and found.awareness != AdClassification.Awareness.UNKNOWN:
        words.append(found.get_awareness_display())
    return " · ".join(words)


def _pictures(ads: Iterable[BrandAd]) -> dict[str, AdMedia]:
    """By the ad's id: a stored one if there is any; else what became of the one that there should be."""
    of = {ad.pk: ad.ad_id for ad in ads}
    places = (
        AdMedia.objects.filter(role__in=PICTURES, brand_ad__in=of).only("role", "status", "brand_ad").order_by("position", "pk")
    )
    best = sorted(places, key=lambda one: (one.status != MediaStatus.STORED, PICTURES.index(one.role)))
    return {of[one.brand_ad_id]: one for one in reversed(best) if one.brand_ad_id}


def sums_in_words(figures: Figures, currency: str) -> Mapping[str, Any]:
    """For a closing row."""
    return {
        "spend": money(figures.spend, currency),
        "impressions": count(figures.impressions),
        "roas": ratio(figures.roas),
        "ctr": percent(figures.ctr),
        "cpc": money(figures.cpc, currency),
        "cpm": money(figures.cpm, currency),
        "hook": percent(figures.hook, 0),
        "hold": percent(figures.hold, 0),
    }


def _line(row: AdRow, ad: BrandAd | None, picture: AdMedia | None, currency: str, drop: int, most: Decimal) -> AdLine:
    words = sums_in_words(row.now, currency)
    fell = f"fell from {ratio(row.before.roas)}" if has_fallen(row.now, row.before, drop) else ""
    hook, hold = (
        Rate(words[name], "" if rate is None else f"{rate / most * 100:.0f}")
        for name, rate in (("hook", row.now.hook), ("hold", row.now.hold))
    )
    return AdLine(
        ad_id=row.ad_id,
        name=shortened(row.name, NAME),
        about=kind_in_words(ad),
        state=row.state,
        picture=picture,
        spend=words["spend"],
        impressions=words["impressions"],
        roas=words["roas"],
        fell=fell,
        ctr=words["ctr"],
        cpc=words["cpc"],
        cpm=words["cpm"],
        has_video=row.has_video,
        rates=[("Hook rate", hook), ("Hold rate", hold)],
    )
