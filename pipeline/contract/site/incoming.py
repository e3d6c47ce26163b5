"""Files on their way to the storage. They lie beside it: then a complete one gets its name at once, never half of it."""

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from ..errors import BlockedError, PermanentError

try:
    from botocore.exceptions import BotoCoreError, ClientError

    S3_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
except ImportError:  # the extra "s3" is not installed
    S3_ERRORS = ()

FORGOTTEN_SECONDS = 3600  # nothing was written for so long: its process was killed
LOOK_AGAIN_SECONDS = 600
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def incoming() -> Iterator[IO[bytes]]:
    """An empty file, which is gone afterwards unless it was moved away."""
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    with on_disk():
        folder.mkdir(parents=True, exist_ok=True)
        _forget(folder)
        file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115  closed below
    try:
        yield file
    finally:
        with contextlib.suppress(OSError):  # the buffer's last bytes may find a full disk
            file.close()
        Path(file.name).unlink(missing_ok=True)


def unnamed() -> IO[bytes]:
    """An empty file beside the storage, which is gone when it is closed or its process ends."""
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


@contextlib.contextmanager
def on_disk() -> Iterator[None]:
    """Says in plain words what is wrong with the disk, or with the S3 storage that is used instead."""
    try:
        yield
    except S3_ERRORS as error:
        raise BlockedError(
            f"The storage for files refuses or does not answer ({error}). Check MEDIA_S3_BUCKET and its keys;"
            " the run then continues by itself.",
            LOOK_AGAIN_SECONDS,
        ) from error
    except OSError as error:
        if error.errno in NO_ROOM:
            words = "The disk for files is full. Free some space in MEDIA_ROOT; the run then continues by itself."
            raise BlockedError(words, LOOK_AGAIN_SECONDS) from error
        raise PermanentError(
            f"A file cannot be saved ({os.strerror(error.errno or errno.EIO)}). Let the worker write to the folder"
            " that MEDIA_ROOT names, then retry."
        ) from error


def move_to_storage(file: IO[bytes], name: str) -> str:
    """Store the whole file. A storage on disk renames it. Returns its name there: another one, if somebody was faster."""
    with on_disk():
        file.flush()
        os.fsync(file.fileno())  # else a power cut could leave an empty file under a good name
        file.seek(0)
        return default_storage.save(name, _Movable(file))


class _Movable(File):
    """Lets a storage on disk rename the file instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def _forget(folder: Path) -> None:
    """Delete what killed processes left."""
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):  # another worker was faster
            if entry.stat().st_mtime < time.time() - FORGOTTEN_SECONDS:
                Path(entry.path).unlink()
