"""Reads what the handlers noted. The times are the handlers' own, so it does not matter how often this polls."""

import os
from pathlib import Path
from typing import NamedTuple

from tests.processes import until


class Mark(NamedTuple):
    name: str
    at: int  # ns since the epoch
    pid: int


def forget() -> None:
    """Delete all marks. Call it while no worker runs: a late mark would count for the next measurement."""
    _file().write_text("")


def wait_for(count: int, seconds: float = 30) -> list[Mark]:
    """Wait until there are `count` marks since `forget`, and return all."""
    until(lambda: _file().read_bytes().count(b"\n") >= count, f"{count} handlers to begin", seconds)
    lines = (line.split() for line in _file().read_text().splitlines())
    return [Mark(name, int(at), int(pid)) for name, at, pid in lines]


def named(name: str, count: int, seconds: float) -> list[Mark]:
    """Wait until there are `count` marks of this name, and return these."""

    def found() -> list[Mark]:
        return [mark for mark in wait_for(0) if mark.name == name]

    until(lambda: len(found()) >= count, f"{name} to begin for the {count}th time", seconds)
    return found()


def _file() -> Path:
    return Path(os.environ["BENCH_MARKS"])
