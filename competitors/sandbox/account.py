"""The Apify account that the sandbox imitates: its runs, limits and money, in memory and behind one lock."""

import threading
from collections import Counter
from dataclasses import replace
from typing import Any

from . import errors
from .actors.base import World
from .config import Config
from .fault_kinds import OF_A_RUN
from .faults import FaultBox
from .graph.reports import Report
from .ids import opaque_id
from .launch import Start, make_run
from .limits import refuse_what_does_not_fit
from .run import Options, Run


class Account:
    """All state that requests read and change."""

    def __init__(self, config: Config, base_url: str):
        self.config = config
        self.base_url = base_url  # the sandbox's own address
        self._first_config = replace(config)
        self.faults = FaultBox(config.seed)
        self.user_id = opaque_id()
        self.closed = threading.Event()
        self.changed = threading.Condition(threading.RLock())  # guards the fields below; notified when a run's end changes
        self.forget()

    def forget(self) -> None:
        """Reset: no runs, no made-up days, no request counts, no faults, and the settings of the start."""
        with self.changed:
            self.runs: dict[str, Run] = {}
            self.reports: dict[str, Report] = {}  # of the Graph API
            self.requests: Counter[str] = Counter()
            self.world = World(self.config, self.base_url)
            self.config.change(self._first_config.shown())
            self.faults.clear()
            self.changed.notify_all()

    def now(self) -> float:
        return self.config.clock()

    def start(self, start: Start) -> Run:
        """Create a run with its faults, or raise Apify's error if the account's limits do not allow it."""
        plan = start.actor.plan(start.given, self.world)  # outside the lock: planning is slow, and readers would wait
        with self.changed:
            refuse_what_does_not_fit(self.config, self.live(), self.spent(), start.options.memory_mbytes)
            faults = {name: value for name in OF_A_RUN if (value := self.faults.take(name, start.path)) is not None}
            run = make_run(start, plan, self.config, faults, self.now())
            self.runs[run.id] = run
            return run

    def run(self, run_id: str) -> Run:
        """The run, or 404 if it is gone or a lagging replica does not know it yet."""
        with self.changed:
            run = self.runs.get(run_id)
            if run is None or run.gone or self.now() < run.started + run.faults.get("lag_run", 0):
                raise errors.not_found("run")
            if self.faults.take("vanish_run", f"/actor-runs/{run_id}") is not None:
                run.gone = True
                raise errors.not_found("run")
            return run

    def run_of_dataset(self, dataset_id: str) -> Run:
        with self.changed:
            run = next((run for run in self.runs.values() if run.dataset_id == dataset_id), None)
            if run is None or run.dataset_gone:
                raise errors.not_found("dataset")
            if self.faults.take("dataset_gone", f"/datasets/{dataset_id}") is not None:
                run.dataset_gone = True
                raise errors.not_found("dataset")
            return run

    def run_of_store(self, store_id: str) -> Run:
        with self.changed:
            run = next((run for run in self.runs.values() if run.store_id == store_id), None)
        if run is None:
            raise errors.not_found("key-value store")
        return run

    def listed_runs(self) -> list[Run]:
        """The runs that appear in lists, oldest first."""
        with self.changed:
            now = self.now()
            return [run for run in self.runs.values() if not run.gone and now >= run.started + run.faults.get("lag_list", 0)]

    def abort(self, run: Run) -> None:
        with self.changed:
            closing = run.faults.get("slow_abort", self.config.closing_seconds(run.life.work))
            run.life.abort(self.now(), closing)
            self.changed.notify_all()

    def resurrect(self, run: Run, given: dict[str, Any], options: Options) -> None:
        """Start the actor over in the same storages: its items are appended once more."""
        plan = run.actor.plan(given, self.world)
        with self.changed:
            now = self.now()
            if not run.ended(now):
                raise errors.invalid("Only a finished run can be resurrected.", "run-not-finished")
            refuse_what_does_not_fit(self.config, self.live(), self.spent(), options.memory_mbytes)
            run.earlier_items = run.items(now)
            again = make_run(Start.again(run, given, options), plan, self.config, {}, now)
            run.life, run.plan, run.options = again.life, again.plan, options
            run.resurrections += 1
            self.changed.notify_all()

    def finish(self, run_id: str | None = None) -> list[str]:
        """Bring one run, or every live run and report, to its planned end now. Return the runs' ids."""
        with self.changed:
            now = self.now()
            for report in self.reports.values() if run_id is None else ():
                report.finish(now)
            chosen = [run for run in self.runs.values() if run_id in (None, run.id) and not run.ended(now)]
            for run in chosen:
                run.life.finish(now)
            self.changed.notify_all()
            return [run.id for run in chosen]

    def wait(self, run: Run, seconds: float) -> None:
        """Wait until the run has ended, the time is up or the sandbox closes."""
        until = self.now() + min(seconds, self.config.max_wait_seconds)
        with self.changed:
            while not self.closed.is_set() and not run.ended(now := self.now()) and now < until:
                self.changed.wait(min(until, run.life.next_change(now)) - now)

    def close(self) -> None:
        self.closed.set()
        with self.changed:
            self.changed.notify_all()

    def live(self) -> list[Run]:
        with self.changed:
            return [run for run in self.runs.values() if not run.ended(self.now())]

    def spent(self) -> float:
        """USD charged so far, settled or not."""
        with self.changed:
            return sum(run.charged(self.now()) * run.price_usd for run in self.runs.values())

    def advance(self, days: int, new_reviews: int) -> int:
        """Let made-up days pass, each with so many new reviews per listing. Return the current day."""
        with self.changed:
            self.world.days += [new_reviews] * days
            return len(self.world.days)

    def count(self, what: str) -> None:
        with self.changed:
            self.requests[what] += 1
