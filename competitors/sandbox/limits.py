"""The account's limits: memory in use, concurrent runs, money per month."""

from typing import TYPE_CHECKING

from . import errors

if TYPE_CHECKING:
    from .account import Account


def memory_in_use(account: "Account") -> int:
    """MB of all live runs."""
    return sum(run.options.memory_mbytes for run in account.live())


def refuse_what_does_not_fit(account: "Account", memory_mbytes: int) -> None:
    """Raise Apify's error if a run with this much memory cannot start now."""
    config = account.config
    if account.spent() >= config.monthly_limit_usd:
        raise errors.usage_limit()
    if len(account.live()) >= config.concurrent_runs_limit:
        raise errors.no_slots(config.concurrent_runs_limit)
    used = memory_in_use(account)
    if used + memory_mbytes > config.memory_limit_mbytes:
        raise errors.no_memory(memory_mbytes, used, config.memory_limit_mbytes)
