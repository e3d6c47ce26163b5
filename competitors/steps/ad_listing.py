"""The list of an account's ads: read from Meta unless that was done within a day, and saved page by page."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from competitors.models import AdAccount, BrandAd
from competitors.reading.graph.brand_ads import read_account, read_brand_ad
from competitors.upstream.graph import AdAccountReader, Listed
from pipeline.contract import Context, land
from pipeline.models import RunLog
from pipeline.words import counted

from .ad_media import note

GOOD_FOR = timedelta(days=1)
LOGGED = 20  # ads that could not be read, each with a line of its own in the run's log
CONTENT = ("name", "status", "is_video", "video_id", "creative_id")


@dataclass
class Listing:
    """What the list had; all of it empty if it was not read now."""

    counts: Counter[str] = field(default_factory=Counter)
    vanished: int = 0  # ads that were known, where Meta listed none at all

    @property
    def summary(self) -> str:
        words = f"{counted(self.counts['ads'], 'ad')} listed" if self.counts["ads"] else ""
        lost = self.counts["skipped"] + self.counts["rejected"]
        return f"{words}{f', {lost:,} could not be read' if lost else ''}." if words or lost else ""


def list_ads(ctx: Context, account: AdAccount, reader: AdAccountReader) -> Listing:
    """Read the list if it is older than a day, with what Meta says of the account itself."""
    found = Listing()
    if account.ads_listed_at and ctx.now() - account.ads_listed_at < GOOD_FOR:
        return found
    began = ctx.now()
    about = {name: value for name, value in read_account(reader.itself()).items() if value}
    if about:
        AdAccount.objects.filter(pk=account.pk).update(**about)
    ctx.log(f"Listing the ads of {account.account_id}.")
    for part in reader.ads():
        ctx.check()
        found.counts.update(_save(ctx, account, part))
        ctx.progress(found.counts["ads"], unit="ads listed")
        for one in part.skipped:
            if found.counts["skipped"] <= LOGGED:
                ctx.log(f"Ad {one.ad_id} was skipped. {one.reason}", RunLog.Level.WARNING)
    if found.counts["rejected"]:
        ctx.log(f"{counted(found.counts['rejected'], 'item')} of the list had no ad id.", RunLog.Level.WARNING)
    if not found.counts["ads"]:
        found.vanished = account.ads.count()
    if not found.vanished:
        AdAccount.objects.filter(pk=account.pk).update(ads_listed_at=began)
    return found


@transaction.atomic
def _save(ctx: Context, account: AdAccount, part: Listed) -> Counter[str]:
    """One page: the ads, and which pictures and videos they show."""
    read = [read_brand_ad(item) for item in part.items]
    ads = {ad.ad_id: ad for ad in read if ad}
    rows = [
        {
            "ad_account_id": account.pk,
            "ad_id": ad.ad_id,
            "name": ad.name,
            "status": ad.status,
            "is_video": ad.is_video,
            "video_id": ad.video_id,
            "creative_id": ad.creative_id,
        }
        for ad in ads.values()
    ]
    at = ctx.now()
    landed = land(
        BrandAd,
        rows,
        key=("ad_account_id", "ad_id"),
        content=CONTENT,
        touch={"last_seen_at": at, "last_run_id": ctx.run.pk},
        first={"first_seen_at": at},
        age="last_seen_at",
    )
    keys = dict(BrandAd.objects.filter(ad_account=account, ad_id__in=ads).values_list("ad_id", "pk"))
    note("brand_ad", {keys[ad_id]: ad.media for ad_id, ad in ads.items()})
    return Counter(ads=len(ads), new_ads=landed.new, rejected=read.count(None), skipped=len(part.skipped))
