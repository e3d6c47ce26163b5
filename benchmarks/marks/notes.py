"""The work of every system, also of those that run by another Python: note when it begins, and stay busy if asked to."""

import os
import time


def note(name: str) -> None:
    """Append one short line. Appends of less than a page are atomic, so any number of workers may write."""
    moment = time.time_ns()
    with open(os.environ["BENCH_MARKS"], "a") as marks:
        marks.write(f"{name} {moment} {os.getpid()}\n")


def doze(name: str, works: float) -> None:
    note(name)
    time.sleep(works)
