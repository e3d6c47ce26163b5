from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from competitors.upstream.media import NotStored, fetch
from tests.buckets import bucket

from .cdn import Cdn, cdn

__all__ = ["bucket", "folder", "refusal", "server", "stored"]


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where media are stored. The test's end finds no half-written file there."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def server(settings: Any, folder: Path, transactional_db: None) -> Iterator[Cdn]:
    """A server that media may come from."""
    with cdn() as one:
        settings.MEDIA_EXTRA_HOSTS = [one.host]
        yield one
        incoming = folder / "incoming"
        assert not incoming.exists() or list(incoming.iterdir()) == []


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """Status and reason of a link that is not stored."""

    def of(url: str, kind: str = "image") -> tuple[str, str]:
        found = fetch(url, kind)
        assert isinstance(found, NotStored), found
        assert found.detail
        return str(found.status.value), str(found.reason.value)

    return of


def stored(folder: Path) -> list[str]:
    """The names of all files in the storage."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
