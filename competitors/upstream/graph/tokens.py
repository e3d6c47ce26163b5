"""How long an account's token is good for. Only Meta knows: the token itself says nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone

from pipeline.contract.errors import CredentialRejected, PermanentError

from .http import Graph
from .refusals import CONFIRM, BlockedAtMeta, TokenRefused, code_of

SOON = timedelta(days=14)


class TokenState(StrEnum):
    VALID = "valid"
    EXPIRES = "expires"  # soon
    EXPIRED = "expired"  # or no longer accepted for another reason
    BLOCKED = "blocked"  # the token is good again once the person has confirmed it at Meta
    MISSING = "missing"


@dataclass(frozen=True)
class Token:
    state: TokenState
    expires_at: datetime | None = None  # None: never, or Meta does not tell


def read_token(graph: Graph) -> Token:
    """Raises TransientError and BlockedError: they say nothing about the token."""
    if not graph.token:
        return Token(TokenState.MISSING)
    try:
        answer = graph.get("debug_token", "its token", input_token=graph.token)
    except BlockedAtMeta:
        return Token(TokenState.BLOCKED)
    except (TokenRefused, CredentialRejected):
        return Token(TokenState.EXPIRED)
    except PermanentError:  # the token is accepted, but may not look itself up
        return Token(TokenState.VALID)
    data = answer.get("data")
    return _read(data if isinstance(data, dict) else {})


def _read(data: dict[str, Any]) -> Token:
    expires_at = _moment(data.get("expires_at"))
    if data.get("is_valid") is False:
        error = data.get("error")
        blocked = isinstance(error, dict) and code_of(error.get("subcode")) in CONFIRM
        return Token(TokenState.BLOCKED if blocked else TokenState.EXPIRED, expires_at)
    left = expires_at - timezone.now() if expires_at else None
    if left is not None and left <= timedelta(0):
        return Token(TokenState.EXPIRED, expires_at)
    return Token(TokenState.EXPIRES if left is not None and left <= SOON else TokenState.VALID, expires_at)


def _moment(value: Any) -> datetime | None:
    """Epoch seconds; 0 means never."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**33:
        return None
    return datetime.fromtimestamp(value, UTC)
