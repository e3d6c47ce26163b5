"""The pictures and videos of an ad account: which there are, and their download with the account's own token."""

from collections import Counter

from django.db.models import QuerySet

from competitors.models import AdAccount, AdMedia, MediaReason, MediaStatus
from competitors.upstream.graph import AdAccountReader
from pipeline.contract import Cancelled, Context
from pipeline.states import Verdict
from pipeline.words import counted

from .ad_media import Stored, store
from .fresh_links import FreshLinks

ASSETS = "ad_assets"  # the dataset, which more than one job type refreshes


def reader_of(ctx: Context, account: AdAccount) -> AdAccountReader:
    def check() -> None:
        ctx.check()
        if ctx.cancelled:
            raise Cancelled

    return AdAccountReader(account.account_id, check)


def places(account: AdAccount) -> "QuerySet[AdMedia]":
    return AdMedia.objects.filter(brand_ad__ad_account=account).select_related("brand_ad")


def forget_video_links(account: AdAccount) -> None:
    """A link to a video is asked for anew each time; an old one would also make a listing take it for a new one."""
    known = AdMedia.objects.filter(brand_ad__ad_account=account, role=AdMedia.Role.VIDEO).exclude(status=MediaStatus.STORED)
    known.exclude(url="").update(url="", expires_at=None)


def store_roles(ctx: Context, account: AdAccount, roles: list[AdMedia.Role], most: int, fresh: FreshLinks) -> Stored:
    """Fetch at most so many files of these roles. What an interrupted attempt at the run has fetched counts."""
    rows = places(account).filter(role__in=roles)
    settled = rows.filter(last_run=ctx.run).exclude(status__in=[MediaStatus.WAITING, MediaStatus.FAILED])
    return store(ctx, rows, max(most - settled.count(), 0), renew=fresh)


def doubt(got: Stored, held: int) -> tuple[Verdict, str]:
    """Not all that goes wrong is a doubt: a file that Meta does not give us is known as such, and not asked for again."""
    failed = sum(count for one, count in got.not_stored.items() if MediaReason(one).status == MediaStatus.FAILED)
    tried = got.files + sum(got.not_stored.values())
    if tried and not got.files and (failed or not held):
        return Verdict.SUSPICIOUS, f"None of the {counted(tried, 'file')} could be stored. {got.summary}"
    if failed * 2 > tried:
        return Verdict.PARTIAL, f"Most downloads failed; the next run tries them again. {got.summary}"
    return Verdict.OK, ""


def together(*parts: Stored) -> Stored:
    lost: Counter[str] = Counter()
    for part in parts:
        lost.update(part.not_stored)
    return Stored(sum(part.files for part in parts), dict(lost.most_common()))
