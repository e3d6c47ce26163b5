"""What a handler is given: checkpoints, paid starts, waits, pages, log and progress."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..models import Brand, Run, RunLog, UpstreamRun
from .source import Order


@dataclass(frozen=True)
class PageResult:
    """What became of one page: counts by name, the items that could not become rows, each as (reason, item), and the rows.

    `rows` is what land() says of them, by key. New, changed and unchanged are counted from it, each row once per run.
    Further keys may mark rows, to count them once per run too, under the value's name: "R1 without a date" → "no_date".
    """

    counts: dict[str, int]
    rejected: list[tuple[str, Any]] = field(default_factory=list)
    rows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ingested:
    """What was saved so far.

    run    totals over all starts of the run: each different row once as new, changed or unchanged, against what was stored
           before the run, and each mark once. The other counts are sums; a duplicate is a row met again within one start.
    start  sums of this upstream run alone, without new, changed, unchanged and marks.
    """

    run: Counter[str]
    start: Counter[str]


@dataclass
class DatasetClock:
    """One dataset of one subject while a block refreshes it. The block sets `records` and `doubt`."""

    done: bool = False  # this run has refreshed it already, before it was interrupted: the block can skip its work
    records: int = 0
    doubt: str = ""  # why the result is partial or suspicious: it then does not count as fresh
    error: str = ""  # why the block failed


class Context(ABC):
    """One attempt at a run, as its handler sees it. The same handler runs on a worker, on the web server and in a replay.

    Any of these methods may end the handler (parked, handed back, cancelled, lease lost). What must not be repeated belongs
    in a step, a paid start or a page.
    """

    run: Run
    brand: Brand | None

    @abstractmethod
    def step(self, name: str, fn: Callable[[], Any]) -> Any:
        """The result of `fn` (JSON), computed once per run. Resume and retry get the stored result.

        Code of another `version` of the job type computes it again, also in a replay: `fn` must not pay for anything.
        """

    @abstractmethod
    def start(self, order: Order, step: str = "start") -> UpstreamRun:
        """The upstream run for this order. It is paid for once, however often this is called."""

    @abstractmethod
    def wait_for(self, upstream: UpstreamRun) -> UpstreamRun:
        """Wait until the upstream run has ended, and return it. A run that waits this way needs no worker."""

    @abstractmethod
    def ingest(self, upstream: UpstreamRun, land: Callable[[list[Any], int], PageResult]) -> Ingested:
        """Save the upstream run's items, page by page. Each page and its checkpoint are one transaction.

        `land(items, offset)` writes the rows of one page. What is returned includes pages that were saved before a crash.
        """

    @abstractmethod
    def sleep(self, duration: timedelta) -> None:
        """Continue after `duration`; needs no worker meanwhile. The n-th sleep of a run is one checkpoint."""

    @abstractmethod
    def dataset(self, key: str, subject: str | None = None, *, fatal: bool = False) -> AbstractContextManager[DatasetClock]:
        """`with ctx.dataset("thumbnails") as clock:` refreshes one of the type's `own_clocks`, by default of the run's subject.

        The dataset is running inside the block and fresh as of its end, whatever becomes of the rest of the run. An error of
        the block is stored as the dataset's and logged, and the run goes on; with `fatal` it is raised again. What is about
        the whole run or account (blocked, rejected token, unclear start) is always raised.
        """

    @abstractmethod
    def check(self) -> None:
        """For long loops: ends the handler here if the worker stops or has lost the run."""

    @abstractmethod
    def log(self, message: str, level: str = RunLog.Level.INFO) -> None:
        """Append a line to the run's log."""

    @abstractmethod
    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        """What the page shows while the run works."""

    @property
    @abstractmethod
    def cancelled(self) -> bool:
        """Whether a person has cancelled this run."""

    @abstractmethod
    def now(self) -> datetime:
        """The database's time."""
