"""An account's ads over a window: what each did, and its state."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import NamedTuple

from django.db.models import Exists, OuterRef
from django.utils import timezone

from competitors.models import AdAccount, AdDay, BrandAd
from pipeline.states import Badge

from . import sums
from .rates import Figures
from .window import Window, zone_of

ACTIVE = "ACTIVE"
SHOWN = Badge("completed", "Active", "check", "green")
IDLE = Badge("late", "Active, not shown", "magnifier", "amber")
ENDED = Badge("cancelled", "Ended", "slash", "grey")
NOT_LISTED = Badge("cancelled", "Not listed", "dash", "grey")  # such as deleted since
STATES = {  # of Meta's effective_status
    "PAUSED": Badge("queued", "Paused", "pause", "grey"),
    "CAMPAIGN_PAUSED": Badge("queued", "Campaign paused", "pause", "grey"),
    "ADSET_PAUSED": Badge("queued", "Ad set paused", "pause", "grey"),
    "DISAPPROVED": Badge("failed", "Disapproved", "alert", "red"),
    "WITH_ISSUES": Badge("check", "With issues", "alert", "amber"),
    "PENDING_BILLING_INFO": Badge("check", "Billing missing", "alert", "amber"),
    "PENDING_REVIEW": Badge("waiting", "In review", "hourglass", "blue"),
    "IN_PROCESS": Badge("waiting", "In review", "hourglass", "blue"),
    "PREAPPROVED": Badge("waiting", "Approved, not started", "hourglass", "blue"),
    "ARCHIVED": Badge("cancelled", "Archived", "archive", "grey"),
    "DELETED": Badge("cancelled", "Deleted", "slash", "grey"),
}


class Listed(NamedTuple):
    """What Meta's list of ads says of one."""

    ad_id: str
    pk: int
    name: str
    status: str
    ends_at: datetime | None
    is_video: bool

    @property
    def runs(self) -> bool:
        """Meta calls an ad active even when its campaign has ended."""
        return self.status == ACTIVE and (self.ends_at is None or self.ends_at > timezone.now())

    def state(self, delivered: bool) -> Badge:
        if self.status == ACTIVE:
            return ENDED if not self.runs else SHOWN if delivered else IDLE
        return STATES.get(self.status, Badge("queued", self.status.replace("_", " ").capitalize() or "Not known", "dash", "grey"))


@dataclass(frozen=True, slots=True)
class AdRow:
    """`listed`: None if the account's list does not have the ad (any more)."""

    ad_id: str
    name: str
    listed: Listed | None
    now: Figures
    before: Figures
    days: int

    @property
    def active(self) -> bool:
        return bool(self.listed and self.listed.runs and self.now.delivered)

    @property
    def state(self) -> Badge:
        return self.listed.state(self.now.delivered) if self.listed else NOT_LISTED

    @property
    def has_video(self) -> bool:
        """Where that is not known, figures of a video tell."""
        return self.now.video_views is not None or self.listed is None or self.listed.is_video


def listed(account: AdAccount) -> dict[str, Listed]:
    rows = BrandAd.objects.filter(ad_account=account).order_by().values_list(*Listed._fields)
    return {row[0]: Listed(*row) for row in rows}


def rows(account: AdAccount, window: Window, known: dict[str, Listed]) -> list[AdRow]:
    """Every ad that has a row in the window."""
    found = sums.of_ads(account, window)
    names = _names(account, window, found.keys() - known.keys())
    return [
        AdRow(
            ad_id, (known[ad_id].name if ad_id in known else names.get(ad_id, "")) or f"Ad {ad_id}", known.get(ad_id), *one.parts
        )
        for ad_id, one in found.items()
    ]


def idle(account: AdAccount, window: Window) -> set[str]:
    """Ads that Meta calls active but that were not shown in the window."""
    shown = AdDay.objects.filter(
        ad_account=account, ad_id=OuterRef("ad_id"), date__range=(window.since, window.until), impressions__gt=0
    )
    began = datetime.combine(window.since, time.min, zone_of(account))
    ads = BrandAd.objects.filter(ad_account=account, status=ACTIVE).exclude(started_at__gte=began)
    return set(ads.exclude(Exists(shown)).values_list("ad_id", flat=True))


def _names(account: AdAccount, window: Window, ad_ids: Iterable[str]) -> dict[str, str]:
    """The newest name of each that the list does not have."""
    days = AdDay.objects.filter(ad_account=account, ad_id__in=ad_ids, date__range=(window.since, window.until))
    return dict(days.order_by("date").values_list("ad_id", "ad_name"))
