"""What the handlers noted, for whoever measures: times are the handlers' own, so how often one looks does not matter."""

import os
from pathlib import Path
from typing import NamedTuple

from tests.processes import until


class Mark(NamedTuple):
    name: str
    at: int  # ns since the epoch
    pid: int


def forget() -> None:
    """Begin anew. While no worker runs, or a late mark counts for the next measurement."""
    _file().write_text("")


def wait_for(count: int, seconds: float = 30) -> list[Mark]:
    """The marks since `forget`, when there are so many."""
    until(lambda: _file().read_bytes().count(b"\n") >= count, f"{count} handlers to begin", seconds)
    lines = (line.split() for line in _file().read_text().splitlines())
    return [Mark(name, int(at), int(pid)) for name, at, pid in lines]


def _file() -> Path:
    return Path(os.environ["BENCH_MARKS"])
