"""The files that export runs made. Each lies in the storage under its run's number, for a week."""

import logging
import re
from datetime import timedelta
from typing import IO, Any

from django.core.files.storage import default_storage
from django.utils import timezone

from ...contract.site.incoming import move_to_storage
from ...models import Run
from ...states import RunStatus

logger = logging.getLogger(__name__)
FOLDER = "exports"
KEPT = timedelta(days=7)
_NAME = re.compile(r"(\d+)\.csv")


def store(run: Run, file: IO[bytes]) -> None:
    """Of two tries of one run, the later file counts."""
    default_storage.delete(_path(run.pk))
    move_to_storage(file, _path(run.pk))


def opened(run: Run) -> Any:
    """The open file of a completed run; None once it is removed."""
    if run.status != RunStatus.COMPLETED or not kept(run):
        return None
    try:
        return default_storage.open(_path(run.pk))
    except FileNotFoundError:
        return None


def kept(run: Run) -> bool:
    return run.completed_at is not None and run.completed_at > timezone.now() - KEPT


def remove_old() -> list[int]:
    """Delete the files that are kept no longer. Their runs stay in the history. Returns the runs' numbers."""
    try:
        names = default_storage.listdir(FOLDER)[1]  # S3 has no folder whose existence could be asked
    except FileNotFoundError:
        return []
    numbers = [int(found[1]) for name in names if (found := _NAME.fullmatch(name))]
    runs = Run.objects.in_bulk(numbers)
    old = [number for number in numbers if number not in runs or not (runs[number].is_live or kept(runs[number]))]
    for number in old:
        default_storage.delete(_path(number))
        logger.info("The file of export run %s was removed after %s days.", number, KEPT.days)
    return old


def _path(number: int) -> str:
    return f"{FOLDER}/{number}.csv"
