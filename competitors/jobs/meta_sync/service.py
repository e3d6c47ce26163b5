"""The sync of a brand's ad accounts, one after the other: one account's failure does not stop the others."""

from collections import Counter
from collections.abc import Sequence

from competitors.models import AdAccount
from pipeline.contract import (
    BlockedError,
    Cancelled,
    Context,
    CredentialRejected,
    Done,
    PermanentError,
    RunError,
    SlowDown,
    TransientError,
)
from pipeline.models import RunLog
from pipeline.states import Verdict
from pipeline.words import counted

from .sync.one_account import AccountSync, Options, Result

Failures = list[tuple[AdAccount, RunError]]
WORST = (Verdict.SUSPICIOUS, Verdict.PARTIAL)


def sync_accounts(ctx: Context, accounts: Sequence[AdAccount], options: Options) -> Done:
    """Used on workers and in legacy mode."""
    results: list[tuple[AdAccount, Result]] = []
    failures: Failures = []
    for account in accounts:
        ctx.check()
        if ctx.cancelled:
            raise Cancelled
        try:
            results += [(account, result) for result in AccountSync(ctx, account, options).run()]
        except SlowDown:  # Meta's limit of the app holds for all accounts
            raise
        except RunError as error:
            if len(accounts) == 1:
                raise
            failures.append((account, error))
            ctx.log(f"{account.account_id} is left out. {error}", RunLog.Level.WARNING)
    _raise(failures, len(accounts))
    return _judge(results, failures, len(accounts))


def _raise(failures: Failures, accounts: int) -> None:
    """What may pass is tried again by this run, which then does only what is missing. All failed: so did the run."""
    for kind in (CredentialRejected, BlockedError):
        for _, error in failures:
            if isinstance(error, kind):
                raise error
    if any(isinstance(error, TransientError) for _, error in failures):
        raise TransientError(_left_out(failures, accounts))
    if len(failures) == accounts:
        raise PermanentError(_left_out(failures, accounts))


def _left_out(failures: Failures, accounts: int) -> str:
    each = " ".join(f"{account.account_id}: {error}" for account, error in failures)
    return f"{len(failures)} of {counted(accounts, 'ad account')} could not be synced. {each}"


def _judge(results: list[tuple[AdAccount, Result]], failures: Failures, accounts: int) -> Done:
    counts: Counter[str] = Counter()
    for _, result in results:
        counts.update(result.counts)
    told = [(f"{account.account_id}: " if accounts > 1 else "", result) for account, result in results]
    doubts = [(result.verdict, f"{name}{result.reason}") for name, result in told if result.verdict != Verdict.OK]
    if failures:
        doubts.append((Verdict.PARTIAL, _left_out(failures, accounts)))
    reasons = [reason for _, reason in doubts]
    verdict = next((one for one in WORST if one in {found for found, _ in doubts}), Verdict.OK)
    summary = " ".join([*(f"{name}{result.summary}" for name, result in told if result.summary), *reasons])
    shown = {name: count for name, count in counts.items() if count}
    return Done(shown, counts["new"] + counts["changed"] + counts["unchanged"], summary, verdict, " ".join(reasons))
