"""An ad account as what a run is about, and what Meta says of it and of its token: asked by each sync, when it is linked, and
daily."""

import logging
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from competitors.models import AdAccount
from competitors.reading.graph.brand_ads import read_account
from competitors.upstream.graph import AdAccountReader, BlockedAtMeta, TokenRefused, TokenState
from pipeline.contract import Cancelled, Context, CredentialRejected, PermanentError, RunError, Subject, register_round
from pipeline.models import Brand

logger = logging.getLogger(__name__)
SYNC = "meta_sync"  # the job type that asks Meta about an account
REFUSED = (TokenState.BLOCKED, TokenState.EXPIRED)
LOOKED_UP_EVERY, AT_ONCE = timedelta(days=1), 3


class AdAccountField(forms.CharField):
    """The number of one of a brand's ad accounts, with or without act_. May be empty."""

    def __init__(self, **options: Any):
        super().__init__(required=False, max_length=40, label="Ad account", **options)

    def clean(self, value: Any) -> str:
        number: str = super().clean(value)
        return f"act_{number}" if number.isdigit() else number


def numbers_of(brand: Brand | None, given: str) -> list[str]:
    """Of the brand's ad accounts. ValidationError if it has none, or not the one that is given."""
    numbers = list(AdAccount.objects.filter(brand=brand).values_list("account_id", flat=True))
    if not numbers:
        raise ValidationError(f"{brand or 'The platform'} has no ad account. Add one first.")
    if given and given not in numbers:
        raise ValidationError(f"{brand} has no ad account {given}. It may have been removed.")
    return numbers


def account_subject(account: AdAccount, url: str, **parameters: str) -> Subject:
    return Subject(str(account.pk), str(account)[:300], url, closed=account.brand.closed, parameters=parameters)


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


@register_round
def look_up_tokens() -> None:
    """Ask daily how long each account's token is good for, whatever is synced: the banners count on that. A few at a time."""
    at = timezone.now()
    due = AdAccount.objects.filter(checked_at__lte=at - LOOKED_UP_EVERY, brand__archived_at=None).order_by("checked_at")
    for account in due[:AT_ONCE]:
        # The worker whose update succeeds has the turn.
        if AdAccount.objects.filter(pk=account.pk, checked_at=account.checked_at).update(checked_at=at):
            reader = AdAccountReader(account.account_id)
            try:
                token = reader.token()
                if account.token_state in REFUSED and token.state not in REFUSED:
                    reader.itself()  # Meta may call the token good, and still refuse the account
            except RunError as error:  # it says nothing about the token, and tomorrow is another day
                logger.warning("The token of %s could not be looked up: %s", account.account_id, error)
                continue
            _store(account, token_state=token.state, token_expires_at=token.expires_at)


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
