"""What Meta's refusals mean. Code and subcode decide: the words are in the language of the token's user."""

from dataclasses import dataclass
from typing import Any

from pipeline.contract.errors import (
    BlockedError,
    CredentialRejected,
    PermanentError,
    RunError,
    SlowDown,
    TransientError,
    UpstreamDown,
)
from pipeline.words.foreign import message

from .usage import Usage

NAME = "meta"
OF_THE_APP = 4  # limits all accounts at once
OF_THE_ACCOUNT = {17, 32, 613, *range(80000, 80015)}
TOKEN_NO_GOOD = {102, 104, 190}
CONFIRM = {459, 464}  # of 190: the token is good again once the person has confirmed it
TOO_MUCH, BRIEF = {1487534, 1504038}, 1504044  # subcodes: a smaller request; the same one a moment later
SAID = 300  # characters of Meta's own words
FULL_TIER, LIMITED_TIER = 60.0, 300.0  # seconds that Meta blocks an account for, by its access tier


class AskedTooMuch(TransientError):
    """Meta refuses to answer so much at once, or one object in the answer is broken: ask for less."""


class ObjectGone(PermanentError):
    """There is no such object, or the token may not see it."""


class NotPermitted(PermanentError):
    """The token has no right to this object."""


class TokenRefused(PermanentError):
    """An account's own token is no good. Other accounts are not concerned."""


class BlockedAtMeta(PermanentError):
    """The account or user has to confirm something at Meta. The token stays valid."""


class WrongRequest(PermanentError):
    """Meta does not know a name or a value of the request. `words` may say which."""

    def __init__(self, message: str, words: str):
        super().__init__(message)
        self.words = words


@dataclass(frozen=True)
class Refusal:
    """The error of an answer. A field that makes no sense is empty, and spoils no other one."""

    status: int
    code: int = 0
    subcode: int = 0
    passes: bool = False
    words: str = ""

    @classmethod
    def of(cls, status: int, answer: Any) -> "Refusal | None":
        """None if the answer has no error object."""
        error = answer.get("error") if isinstance(answer, dict) else None
        if not isinstance(error, dict):
            return None
        words = error.get("message")
        return cls(
            status,
            code_of(error.get("code")),
            code_of(error.get("error_subcode")),
            error.get("is_transient") is True,
            message(words, SAID) if isinstance(words, str) else "",
        )

    def meaning(self, what: str, own_token: str, usage: Usage, wait: float | None) -> RunError:
        """`what` was asked about, in words. `own_token`: the setting's entry with the token; '' if it is everybody's."""
        if self.code == OF_THE_APP or (self.status == 429 and self.code not in OF_THE_ACCOUNT):
            return SlowDown("Meta asked us to slow down.", NAME, usage.seconds or wait)
        if self.code in OF_THE_ACCOUNT:
            words = f"Meta has had too many requests about {what} for now. The run continues by itself."
            return BlockedError(words, usage.seconds or wait or block_seconds(usage))
        if self.code == 368 or (self.code == 190 and self.subcode in CONFIRM):
            return BlockedAtMeta(
                "The account or user is blocked at Meta. The token stays valid: open Meta and confirm, then retry."
                f" {self._said}".rstrip()
            )
        if self.code in TOKEN_NO_GOOD:
            return self._bad_token(what, own_token)
        if self.code == 10 or 200 <= self.code <= 299:
            words = f"Meta's token may not read {what}. Give it the permission ads_read for this ad account, then retry."
            return NotPermitted(f"{words} {self._said}".rstrip())
        if self.code == 100 and self.subcode == 33:
            return ObjectGone(f"Meta has no {what}, or the token may not see it.")
        if self.subcode in TOO_MUCH or (self.code == 1 and self.subcode != BRIEF):
            return AskedTooMuch(f"Meta could not answer about {what} (code {self.code}). {self._said}".rstrip())
        if self.code == 2 or self.subcode == BRIEF or self.passes or self.status >= 500:
            return UpstreamDown(f"Meta reported a passing fault (HTTP {self.status}, code {self.code}).", NAME)
        if self.code == 2635:
            return PermanentError(f"Meta no longer serves this version. Set META_GRAPH_VERSION to a newer one. {self._said}")
        words = f"Meta refused the request about {what} (code {self.code or self.status}). {self._said}".rstrip()
        return WrongRequest(words, self.words) if self.code == 100 else PermanentError(words)

    def _bad_token(self, what: str, own_token: str) -> RunError:
        """Only everybody's token stops everybody's runs."""
        if own_token:
            words = f"Meta does not accept the token of {own_token}. Set a valid one in META_ACCESS_TOKENS, then retry."
            return TokenRefused(f"{words} {self._said}".rstrip())
        words = "Meta does not accept the token. Set a valid META_ACCESS_TOKEN for web and worker, then retry."
        return CredentialRejected(f"{words} {self._said}".rstrip(), NAME)

    @property
    def _said(self) -> str:
        return f"Meta says: “{self.words}”" if self.words else ""


def block_seconds(usage: Usage) -> float:
    """Until an account that is at its limit may be asked again."""
    return usage.seconds or (FULL_TIER if usage.limited_tier is False else LIMITED_TIER)


def code_of(value: Any) -> int:
    """A number, or its digits as text; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else 0
