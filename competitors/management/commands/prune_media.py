"""Deletes stored pictures and videos that nothing shows any more: their ads were removed, or show something else now.

Safe while others store files: storing marks the row as used, then looks for the file. So either the row is left alone here, or
both are gone before the other one looks.
"""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from competitors.models import Media
from pipeline.words import counted

KEPT = timedelta(days=1)  # after a file was stored: by then the ad or template that it was stored for shows it


class Command(BaseCommand):
    help = "Delete stored pictures and videos that no ad and no template shows any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--most", type=int, default=1000, help="Delete at most so many; the next call goes on.")

    def handle(self, *args: Any, most: int, **options: Any) -> None:
        before = timezone.now() - KEPT
        keys = list(unused(before).order_by("used_at").values_list("pk", flat=True)[: max(most, 0)])
        sizes = [size for pk in keys if (size := delete_unused(pk, before))]
        self.stdout.write(f"Deleted {counted(len(sizes), 'file')}, {filesizeformat(sum(sizes))}.")


def unused(before: datetime) -> "QuerySet[Media]":
    """That no row of any kind points to."""
    rows = Media.objects.filter(used_at__lt=before)
    for one in Media._meta.related_objects:
        pointing = one.related_model._default_manager.filter(**{one.field.name: OuterRef("pk")})
        rows = rows.exclude(Exists(pointing))
    return rows


def delete_unused(pk: int, before: datetime) -> int:
    """Delete this row and its file. Returns its bytes; 0 if somebody has used it meanwhile."""
    with transaction.atomic():
        media = unused(before).select_for_update().filter(pk=pk).first()
        if media is None:
            return 0
        media.delete()
        media.file.storage.delete(str(media.file.name))  # before the commit: whoever stores it again waits for that
        return media.bytes
