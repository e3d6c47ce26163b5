"""What people are told of the access to Meta: of its tokens beside each account, and in a banner if something has to be done."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from competitors.models import AdAccount
from competitors.upstream.graph.refusals import BlockedAtMeta, TokenRefused
from pipeline import queries
from pipeline.contract import Ending, Notice, register_endings, register_notices
from pipeline.contract.errors import CredentialRejected
from pipeline.people import brands_for
from pipeline.states import Badge
from pipeline.words import days

State = AdAccount.TokenState
WARNED_BEFORE = ((1, "red"), (7, "amber"), (14, "grey"))  # days before a token's end, and how loud the banner is then
VERSION_WARNED_BEFORE = timedelta(days=60)
# Errors of a run that say the same as the notice about its account's token, beside the button that retries it.
TOLD_BY_INCIDENTS = {
    State.EXPIRED: TokenRefused.__name__,
    State.BLOCKED: BlockedAtMeta.__name__,
    State.MISSING: CredentialRejected.__name__,
}
NAMED = 3  # accounts of one banner that are named
RENEW = "Make a new token at Meta and set it as META_ACCESS_TOKENS (act_…=token) or META_ACCESS_TOKEN, for web and worker."


def state_now(account: AdAccount, now: datetime) -> str:
    """A token ends by itself after it was last looked up. '': not looked up yet."""
    ends = account.token_expires_at
    if ends is None or account.token_state not in (State.VALID, State.EXPIRES):
        return account.token_state
    left = ends - now
    if left <= timedelta(0):
        return State.EXPIRED
    return State.EXPIRES if left <= timedelta(days=WARNED_BEFORE[-1][0]) else State.VALID


def token_badge(account: AdAccount, now: datetime | None = None) -> Badge:
    """'Token valid', 'Token: 9 days left', 'Blocked at Meta'."""
    now = now or timezone.now()
    ends = account.token_expires_at
    match state_now(account, now):
        case State.VALID:
            return Badge("fresh", "Token valid", "check", "green")
        case State.EXPIRES if ends:
            return Badge("late", f"Token: {days(ends - now)} left", "clock", "amber")
        case State.EXPIRED:
            past = ends is not None and ends <= now
            return Badge("failed", f"Token ended {days(now - ends)} ago" if past and ends else "Token refused", "alert", "red")
        case State.BLOCKED:
            return Badge("failed", "Blocked at Meta", "slash", "red")
        case State.MISSING:
            return Badge("failed", "No token", "alert", "red")
    return Badge("never", "Token not checked", "dash", "grey")


def token_notices(accounts: Iterable[AdAccount], now: datetime | None = None) -> list[Notice]:
    """What has to be done about these accounts' tokens, the worst first. Accounts with the same trouble share a notice."""
    now = now or timezone.now()
    troubled: dict[tuple[int, str], list[AdAccount]] = defaultdict(list)
    for account in accounts:
        state = state_now(account, now)
        if state == State.EXPIRES and account.token_expires_at:
            left = account.token_expires_at - now
            rank = next(rank for rank, (most, _) in enumerate(WARNED_BEFORE) if left <= timedelta(days=most))
            troubled[rank + 1, state].append(account)
        elif state in (State.EXPIRED, State.BLOCKED, State.MISSING):
            troubled[0, state].append(account)
    return [_notice(rank, state, group, now) for (rank, state), group in sorted(troubled.items(), key=lambda item: item[0])]


def _notice(rank: int, state: str, accounts: list[AdAccount], now: datetime) -> Notice:
    names = ", ".join(str(account) for account in accounts[:NAMED])
    more = f" and {len(accounts) - NAMED} more" if len(accounts) > NAMED else ""
    whose = names if len(accounts) == 1 else f"{len(accounts)} ad accounts"
    which = "" if len(accounts) == 1 else f" Concerns {names}{more}."
    if state == State.BLOCKED:
        text = "The token is still good, so keep it. Open Meta as the token's user and confirm what it asks for, then sync again."
        return Notice("red", f"Meta has blocked {whose}.", f"{text}{which}")
    if state == State.MISSING:
        text = "Nothing can be read. Set META_ACCESS_TOKENS (act_…=token) or META_ACCESS_TOKEN, for web and worker."
        return Notice("red", f"There is no Meta token for {whose}.", f"{text}{which}")
    if state == State.EXPIRED:
        return Notice("red", f"Meta no longer accepts the token of {whose}.", f"Nothing new comes in. {RENEW}{which}")
    ends = min(account.token_expires_at for account in accounts if account.token_expires_at)
    local = timezone.localtime(ends)
    title = f"The Meta token of {whose} ends in {days(ends - now)}, on {local.day} {local:%b %Y}."
    return Notice(WARNED_BEFORE[rank - 1][1], title, f"Nothing new comes in after that. {RENEW}{which}")


def version_notices(today: date | None = None) -> list[Notice]:
    """Of the Graph API's version, where somebody has set when it ends."""
    ends, version = settings.META_GRAPH_VERSION_ENDS, settings.META_GRAPH_VERSION
    if ends is None or (left := ends - (today or timezone.localdate())) > VERSION_WARNED_BEFORE:
        return []
    renew = "Set META_GRAPH_VERSION to a newer one and META_GRAPH_VERSION_ENDS to its end, for web and worker, and sync once."
    when = f"{ends.day} {ends:%b %Y}"
    if left <= timedelta(0):
        return [Notice("red", f"Meta has ended version {version} of its Graph API on {when}.", f"Syncs may fail. {renew}")]
    return [Notice("amber", f"Meta ends version {version} of its Graph API in {days(left)}, on {when}.", renew)]


@register_endings
def _ends_of_tokens() -> Iterator[Ending]:
    """Of every account whose token has an end. Accounts that share a token end at the same time."""
    for account in AdAccount.objects.filter(token_expires_at__isnull=False, brand__archived_at=None).select_related("brand"):
        if account.token_expires_at and account.token_state in (State.VALID, State.EXPIRES, State.EXPIRED):
            url = reverse("research", args=[account.brand.slug])
            yield Ending(account.token_expires_at, f"{account.brand}, {account}", RENEW, url, account.brand_id)


@register_notices
def _on_the_overview(user: Any) -> list[Notice]:
    if not user.has_perm("competitors.view_adaccount"):
        return []
    now = timezone.now()
    soon = Q(token_expires_at__lte=now + timedelta(days=WARNED_BEFORE[-1][0]))
    troubled = soon | Q(token_state__in=[State.EXPIRED, State.BLOCKED, State.MISSING])
    accounts = AdAccount.objects.filter(brands_for(user).q(), troubled, brand__archived_at=None)
    told = queries.subjects_failing_by(TOLD_BY_INCIDENTS.values(), user)
    untold = [one for one in accounts if state_now(one, now) == State.EXPIRES or told.isdisjoint(_tellers(one))]
    return [*version_notices(), *token_notices(untold, now)]


def _tellers(account: AdAccount) -> set[tuple[UUID | None, str, str]]:
    """Failures that tell of its token: of the account's own sync, or of one of all accounts, which fails by only one of them."""
    of_all = {(account.brand_id, "", kind) for state, kind in TOLD_BY_INCIDENTS.items() if state == account.token_state}
    return of_all | {(account.brand_id, str(account.pk), kind) for kind in TOLD_BY_INCIDENTS.values()}
