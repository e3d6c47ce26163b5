"""Removes the files of candidates that were archived long ago.

The rows stay: what was decided is known, and no ad is queued again.
"""

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from competitors.models import AdMedia, Media, TemplateCandidate
from pipeline import api
from pipeline.contract import register_round
from pipeline.words import counted

ARCHIVED = TemplateCandidate.Status.ARCHIVED
JUST_USED = timedelta(days=1)  # as for `prune_media`: what has just come is shown by then
EVERY, AT_ONCE = 3600.0, 50  # seconds between the looks of one worker, and files that one look removes
_next_look = 0.0


@register_round
def remove_when_due() -> None:
    global _next_look
    if (now := time.monotonic()) >= _next_look:
        _next_look = now + (1 if remove_old_files(timezone.now()) else EVERY)


def remove_old_files(at: datetime) -> int:
    """Remove some, and say so. Returns how many."""
    days = settings.MEDIA_KEEP_ARCHIVED_DAYS
    if not days:
        return 0
    keys = list(_old(at, days).values_list("pk", flat=True)[:AT_ONCE])
    sizes = [size for key in keys if (size := _remove(key, at, days))]
    if sizes:
        words = (
            f"{counted(len(sizes), 'file')} of templates that were archived over {days} days ago, {filesizeformat(sum(sizes))}"
        )
        api.record_change("removed", f"Removed because of their age: {words}.", None)
    return len(sizes)


def _old(at: datetime, days: int) -> "QuerySet[Media]":
    """Every candidate that shows it was archived so long ago, and no ad of a brand or competitor shows it."""
    candidates = TemplateCandidate.objects.filter(media=OuterRef("pk"))
    old = Q(status=ARCHIVED, reviewed_at__lt=at - timedelta(days=days))
    elsewhere = AdMedia.objects.filter(media=OuterRef("pk")).exclude(library_ad__isnull=False)
    unused = Media.objects.filter(removed_at=None, used_at__lt=at - JUST_USED)
    return unused.filter(Exists(candidates.filter(old)), ~Exists(candidates.exclude(old)), ~Exists(elsewhere))


def _remove(key: int, at: datetime, days: int) -> int:
    """Returns its bytes; 0 if somebody has used it meanwhile."""
    with transaction.atomic():
        media = _old(at, days).select_for_update().filter(pk=key).first()
        if media is None:
            return 0
        Media.objects.filter(pk=key).update(removed_at=at)
        media.file.storage.delete(str(media.file.name))  # before the commit: whoever stores it again waits for that
        return media.bytes
