"""The account's limits: memory in use, concurrent runs, money per month."""

from collections.abc import Sequence

from . import errors
from .config import Config
from .run import Run


def memory_in_use(live: Sequence[Run]) -> int:
    """MB, over all live runs."""
    return sum(run.options.memory_mbytes for run in live)


def refuse_what_does_not_fit(config: Config, live: Sequence[Run], spent_usd: float, memory_mbytes: int) -> None:
    """Raise the answer that Apify gives when a run with that much memory cannot be started now."""
    if spent_usd >= config.monthly_limit_usd:
        raise errors.usage_limit()
    if len(live) >= config.concurrent_runs_limit:
        raise errors.no_slots(config.concurrent_runs_limit)
    used = memory_in_use(live)
    if used + memory_mbytes > config.memory_limit_mbytes:
        raise errors.no_memory(memory_mbytes, used, config.memory_limit_mbytes)
