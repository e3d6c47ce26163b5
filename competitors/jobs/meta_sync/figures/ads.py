"""An account's ads over a window: what each did, and its state."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from competitors.models import AdAccount, AdDay, BrandAd
from pipeline.states import Badge

from . import sums
from .rates import Figures
from .window import Window, first_moment

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


class AdRow(NamedTuple):
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


def rows(account: AdAccount, window: Window, known: Mapping[str, Listed]) -> list[AdRow]:
    """Every ad that has a row in the window."""
    found = list(sums.of_ads(account, window))
    names = _names(account, window, [ad_id for ad_id, *_ in found if ad_id not in known])
    return [
        AdRow(ad_id, (one.name if one else names.get(ad_id, "")) or f"Ad {ad_id}", one, now, before, days)
        for ad_id, days, now, before in found
        for one in [known.get(ad_id)]
    ]


def idle(account: AdAccount, window: Window, known: Mapping[str, Listed]) -> list[Listed]:
    """Ads that Meta calls active, that are older than the window, and that were not shown in it."""
    days = AdDay.objects.filter(ad_account=account, date__range=(window.since, window.until), impressions__gt=0)
    shown = set(days.order_by().values_list("ad_id", flat=True).distinct())
    silent = [ad_id for ad_id, one in known.items() if one.runs and ad_id not in shown]
    if not silent:
        return []
    young = BrandAd.objects.filter(ad_account=account, ad_id__in=silent, started_at__gte=first_moment(account, window))
    found = [known[ad_id] for ad_id in set(silent).difference(young.values_list("ad_id", flat=True))]
    return sorted(found, key=lambda one: (one.name, one.ad_id))


def _names(account: AdAccount, window: Window, ad_ids: Iterable[str]) -> dict[str, str]:
    """The newest name of each that the list does not have."""
    days = AdDay.objects.filter(ad_account=account, ad_id__in=ad_ids, date__range=(window.since, window.until))
    return dict(days.order_by("date").values_list("ad_id", "ad_name"))
