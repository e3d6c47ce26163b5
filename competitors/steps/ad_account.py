"""What Meta says of an ad account and of its token, stored with the account. Asked once a day, and when it is linked."""

from competitors.models import AdAccount
from competitors.reading.graph.brand_ads import read_account
from competitors.upstream.graph import AdAccountReader, BlockedAtMeta, TokenRefused, TokenState
from pipeline.contract import Cancelled, Context, CredentialRejected, PermanentError, RunError

SYNC = "meta_sync"  # the job type that asks Meta about an account


def check_account(ctx: Context, account: AdAccount) -> None:
    """Store name, currency, time zone and the token's state. Raises what keeps the account from being read, once that is stored.

    What Meta does not tell stays as it was.
    """

    def check() -> None:
        ctx.check()
        if ctx.cancelled:
            raise Cancelled

    reader = AdAccountReader(account.account_id, check)
    token = reader.token()
    _store(account, token_state=token.state, token_expires_at=token.expires_at, checked_at=ctx.now())
    if token.state == TokenState.MISSING:
        raise PermanentError(
            f"There is no token for {account.account_id}. Set META_ACCESS_TOKENS with {account.account_id}=token, or"
            " META_ACCESS_TOKEN, for web and worker, then try again."
        )
    try:
        told = read_account(reader.itself())
    except RunError as error:
        note_refusal(account, error)
        raise
    _store(account, **{name: value for name, value in told.items() if value})


def note_refusal(account: AdAccount, error: RunError) -> None:
    """Store what an error says of the account's token, if it does. A block at Meta leaves the token valid."""
    if isinstance(error, BlockedAtMeta):
        _store(account, token_state=AdAccount.TokenState.BLOCKED)
    elif isinstance(error, TokenRefused | CredentialRejected):
        _store(account, token_state=AdAccount.TokenState.EXPIRED)


def _store(account: AdAccount, **values: object) -> None:
    AdAccount.objects.filter(pk=account.pk).update(**values)
    for name, value in values.items():
        setattr(account, name, value)
