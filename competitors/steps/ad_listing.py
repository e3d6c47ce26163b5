"""The list of an account's ads: read from Meta unless that was done within a day, and saved page by page."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from competitors.models import AdAccount, AdGap, BrandAd
from competitors.reading.graph.brand_ads import read_account, read_brand_ad
from competitors.upstream.graph import AdAccountReader, Listed
from pipeline.contract import Context, land
from pipeline.models import RunLog
from pipeline.states import Verdict
from pipeline.words import counted

from .ad_media import note

GOOD_FOR = timedelta(days=1)
LOGGED = 20  # ads that could not be read, each with a line of its own in the run's log
WORDS = ("name", "video_id", "creative_id", "title", "body", "link_url", "display_format", "campaign_id", "started_at")
CONTENT = (*WORDS, "status", "is_video", "ends_at")


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

    @property
    def doubt(self) -> tuple[Verdict, str]:
        if self.vanished:
            known = counted(self.vanished, "ad")
            return Verdict.SUSPICIOUS, f"Meta listed no ads, though {known} were known. The token may have lost its rights."
        return Verdict.OK, ""


def list_ads(ctx: Context, account: AdAccount, reader: AdAccountReader, good_for: timedelta = GOOD_FOR) -> Listing:
    """Read the list if it is older than that and was not read by this run, with what Meta says of the account itself."""
    found, began = Listing(), ctx.now()
    skipped: dict[str, str] = {}
    if account.ads_listed_at and account.ads_listed_at >= min(began - good_for, ctx.run.started_at or began):
        return found
    read_about(account, reader)
    ctx.log(f"Listing the ads of {account.account_id}.")
    for part in reader.ads():
        ctx.check()
        found.counts.update(_save(ctx, account, part))
        ctx.progress(found.counts["ads"], unit="ads listed")
        for one in part.skipped:
            skipped[f"Ad {one.ad_id}"] = one.reason
            if found.counts["skipped"] <= LOGGED:
                ctx.log(f"Ad {one.ad_id} was skipped. {one.reason}", RunLog.Level.WARNING)
    if found.counts["rejected"]:
        ctx.log(f"{counted(found.counts['rejected'], 'item')} of the list had no ad id.", RunLog.Level.WARNING)
    AdGap.objects.replace(account, AdGap.Part.ADS, skipped, ctx.run, began)
    if not found.counts["ads"]:
        found.vanished = account.ads.count()
    if not found.vanished:
        account.ads_listed_at = began
        account.save(update_fields=["ads_listed_at"])
    return found


def read_about(account: AdAccount, reader: AdAccountReader) -> None:
    """Name, currency and zone, as far as the token may see them."""
    about = {name: value for name, value in read_account(reader.itself()).items() if value}
    for name, value in about.items():
        setattr(account, name, value)
    account.save(update_fields=about)


@transaction.atomic
def _save(ctx: Context, account: AdAccount, part: Listed) -> Counter[str]:
    """One page: the ads, and which pictures and videos they show."""
    read = [read_brand_ad(item) for item in part.items]
    ads = {ad.ad_id: ad for ad in read if ad}
    rows = [
        {
            "ad_account_id": account.pk,
            "ad_id": ad.ad_id,
            **{name: getattr(ad, name) for name in CONTENT},
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
        keep_absent=WORDS,  # Meta leaves out what the token may not see at the moment
    )
    keys = dict(BrandAd.objects.filter(ad_account=account, ad_id__in=ads).values_list("ad_id", "pk"))
    note("brand_ad", {keys[ad_id]: ad.media for ad_id, ad in ads.items()})
    return Counter(ads=len(ads), new_ads=landed.new, rejected=read.count(None), skipped=len(part.skipped))
