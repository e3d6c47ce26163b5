"""The two things that a program of another system does: answer to the benchmark, and work."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def timed(put: Callable[..., Any]) -> Callable[..., tuple[int, int]]:
    """When it began and when it was committed, in ns since the epoch: as System.put_timed()."""

    def call(*values: Any) -> tuple[int, int]:
        began = time.time_ns()
        put(*values)
        return began, time.time_ns()

    return call


def serve(worker: Callable[[], Any], commands: Callable[[], dict[str, Callable[..., Any]]]) -> None:
    if sys.argv[1] == "worker":
        worker()
        return
    known = commands()
    for line in sys.stdin:
        name, *values = json.loads(line)
        print(json.dumps(known[name](*values)), flush=True)
