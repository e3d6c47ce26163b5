"""A fresh link to a picture or video, asked for just before its download: links on record die within days."""

from competitors.models import AdMedia, BrandAd, MediaReason
from competitors.reading.graph.brand_ads import (
    has_source,
    read_brand_ad,
    read_duration,
    read_post_picture,
    read_source,
    read_thumbnail,
)
from competitors.upstream.graph import AdAccountReader, NotPermitted, ObjectGone
from competitors.upstream.media import NotStored
from pipeline.contract import TransientError, UpstreamDown

FAILURES_UNTIL_DOWN = 3  # in a row: then it is Meta, not the file


class FreshLinks:
    """Call it with a row. Throttling, a refused token and an outage are raised: they say nothing about the file."""

    def __init__(self, reader: AdAccountReader):
        self._reader, self._failures = reader, 0

    def __call__(self, row: AdMedia) -> str | NotStored:
        assert row.brand_ad
        try:
            link = self._video(row, row.brand_ad) if row.role == AdMedia.Role.VIDEO else self._picture(row, row.brand_ad)
        except ObjectGone as error:
            link = NotStored(MediaReason.GONE, str(error))
        except NotPermitted as error:
            link = NotStored(MediaReason.NO_SOURCE_FOR_US, str(error))
        except TransientError as error:
            self._failures += isinstance(error, UpstreamDown)
            if self._failures >= FAILURES_UNTIL_DOWN:
                raise
            return NotStored(MediaReason.SERVER_ERROR, str(error))
        self._failures = 0
        return link

    def _video(self, row: AdMedia, ad: BrandAd) -> str | NotStored:
        if not ad.video_id:
            return NotStored(MediaReason.NO_SOURCE_FOR_US, "Meta names no video of this ad.")
        video = self._reader.video(ad.video_id)
        if not has_source(video):
            return NotStored(MediaReason.NO_SOURCE_FOR_US, "The token has no right to this video's file.")
        AdMedia.objects.filter(pk=row.pk).update(duration=read_duration(video))
        return read_source(video) or NotStored(MediaReason.SERVER_ERROR, "Meta's link to the video could not be read.")

    def _picture(self, row: AdMedia, ad: BrandAd) -> str | NotStored:
        item = self._reader.ad(ad.ad_id)
        fresh = read_brand_ad(item)
        links = {one.role: one.url for one in fresh.media} if fresh else {}
        if own := links.get(str(row.role)):
            return own
        shown = self._of_post(fresh.post_id) if fresh and fresh.post_id and row.role == AdMedia.Role.THUMBNAIL else ""
        return shown or read_thumbnail(item) or NotStored(MediaReason.GONE, "The ad no longer has this picture.")

    def _of_post(self, post_id: str) -> str:
        """Most tokens may not see posts: then the thumbnail has to do."""
        try:
            return read_post_picture(self._reader.post(post_id))
        except (NotPermitted, ObjectGone):
            return ""
