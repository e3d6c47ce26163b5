"""A file that only its owner can read, and that is there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yields a temporary file beside it, which takes its name at the end if nothing went wrong, and else is removed.

    FileExistsError if the name is taken, also if it was taken meanwhile.
    """
    if target.exists() and not overwrite:
        raise FileExistsError(target)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # of mode 0600
    temporary = Path(name)
    try:
        os.close(handle)
        yield temporary
        _sync(temporary)
        if overwrite:
            temporary.replace(target)
        else:
            os.link(temporary, target)  # unlike a rename, it never replaces a file
        _sync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Also for a folder: the new name survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
