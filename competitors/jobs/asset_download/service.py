"""The download of an account's pictures and videos: its ads are listed, and what is not stored yet is fetched."""

from competitors.models import AdAccount, AdMedia, MediaStatus
from competitors.steps.account_files import doubt, forget_video_links, places, reader_of, store_roles, together
from competitors.steps.ad_listing import Listing, list_ads
from competitors.steps.ad_media import Stored, store_again, to_fetch
from competitors.steps.fresh_links import FreshLinks
from pipeline.contract import Context, Done
from pipeline.words import counted

from .limits import Limits

Role = AdMedia.Role


def download_assets(ctx: Context, account: AdAccount, limits: Limits) -> Done:
    """List the account's ads, then store what is missing: videos, pictures, and stills of videos with what is left of the limit.

    Used on workers and in legacy mode. What an interrupted attempt has stored counts.
    """
    reader = reader_of(ctx, account)
    forget_video_links(account)
    listing = list_ads(ctx, account, reader) if ctx.run.is_live else Listing()
    fresh = FreshLinks(reader)
    videos = store_roles(ctx, account, [Role.VIDEO], limits.videos, fresh)
    pictures = store_roles(ctx, account, [Role.PICTURE, Role.THUMBNAIL], limits.images, fresh)
    stills = store_roles(ctx, account, [Role.POSTER], limits.images - pictures.files, fresh)
    return _judge(account, listing, together(videos, pictures, stills))


def download_one(ctx: Context, account: AdAccount, pk: int) -> Done:
    """Try one picture or video again, whatever became of it before."""
    forget_video_links(account)
    return store_again(ctx, places(account).filter(pk=pk), FreshLinks(reader_of(ctx, account)))


def _judge(account: AdAccount, listing: Listing, got: Stored) -> Done:
    """The counts are of all the account's files: those that were stored before are unchanged."""
    held = places(account).filter(status=MediaStatus.STORED).count()
    waiting = to_fetch(places(account)).count()
    lost = sum(got.not_stored.values())
    counts = {
        "new": got.files,
        "unchanged": held - got.files,
        "not_stored": lost,
        "waiting": waiting,
        "ads": listing.counts["ads"],
        "rejected": listing.counts["rejected"] + listing.counts["skipped"],
    }
    words = [listing.summary, got.summary or (f"Nothing new: {counted(held, 'file')} stored before." if held else "")]
    if waiting:
        words.append(f"{counted(waiting, 'file')} left for the next run.")
    verdict, reason = listing.doubt if listing.vanished else doubt(got, held)
    summary = " ".join(filter(None, words)) or "This ad account has no ads."
    return Done({name: count for name, count in counts.items() if count}, held, summary, verdict, reason)
