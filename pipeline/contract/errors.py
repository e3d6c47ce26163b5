"""What can go wrong in a run, one class per case. The engine decides by class alone; the message is what an operator reads.

A message says what happened, to what, and what to do now, in one or two full sentences, and holds no secret.
"""

from datetime import datetime


class PipelineError(Exception):
    """Any error whose message is meant for a person."""


class InvalidRequest(PipelineError):
    """The request is not valid. `errors` maps a parameter's name ('' for none) to its messages."""

    def __init__(self, message: str, errors: dict[str, list[str]] | None = None):
        super().__init__(message)
        self.errors = errors or {}


class NotAllowed(PipelineError):
    """The state of the run or job does not allow this action now."""


class RunError(PipelineError):
    """Raised by handlers and sources inside a run."""


class PermanentError(RunError):
    """Trying again would end the same way (bad parameters, rejected token, unknown actor). The run fails at once."""


class CredentialRejected(PermanentError):
    """The upstream rejects our token, or none is set. The run that found out fails; the account's other runs wait."""

    def __init__(self, message: str, source: str):
        super().__init__(message)
        self.source = source


class TransientError(RunError):
    """May work later. Costs a try; the next one comes with backoff, and not before `retry_at` if that is given."""

    def __init__(self, message: str, retry_at: datetime | None = None):
        super().__init__(message)
        self.retry_at = retry_at


class BlockedError(RunError):
    """Not possible now, through no fault of the run (upstream full, spend limit). It waits with this reason; costs no try.

    `limited`: after two hours the wait counts as a failed try, since an upstream can be "full" forever.
    """

    def __init__(self, reason: str, seconds: float = 60, *, limited: bool = True):
        super().__init__(reason)
        self.seconds, self.limited = seconds, limited


class SlowDown(BlockedError):
    """The upstream asked for fewer requests. Its whole account waits, in every worker, longer each time it asks again."""

    def __init__(self, reason: str, source: str, seconds: float | None = None):
        super().__init__(reason, seconds or 0, limited=False)
        self.source, self.asked = source, seconds


class UpstreamDown(TransientError):
    """The upstream does not answer, or reports a server error. After a few in a row, its runs wait until a probe succeeds."""

    def __init__(self, message: str, source: str):
        super().__init__(message)
        self.source = source


class ItemsGone(PermanentError):
    """The upstream no longer has a run's items: no more of them can be saved."""


class AmbiguousStart(RunError):
    """A paid start got no clear answer, so it may have worked. It is not repeated before the upstream was asked."""


class UnknownStart(RunError):
    """It is not known which upstream run a paid start made, if any. A person decides: adopt one or start again."""


class SpendRefused(PermanentError):
    """The run's failed starts cost PIPELINE_RETRY_SPEND_USD or more: a person must ask for another one."""


# About the run or its whole account. No part of the run can go on after one of these.
STOPS_EVERY_PART = (BlockedError, CredentialRejected, AmbiguousStart, UnknownStart, SpendRefused)


# ---- these end a handler early; the context raises them, handlers never do -------------------------------------------
class Leave(BaseException):
    """Base of these. A BaseException, so that a handler's `except Exception` does not catch it."""


class Park(Leave):
    """The run waits (upstream, or for a time) and needs no worker until `due_at`. `step`: of a sleep that begins, for its end."""

    def __init__(self, due_at: datetime, reason: str = "", step: str = ""):
        super().__init__(reason)
        self.due_at, self.reason, self.step = due_at, reason, step


class HandBack(Leave):
    """This worker is stopping: the run goes back to the queue at once, and no try is spent."""


class Cancelled(Leave):
    """A person cancelled the run. The executor then stops the run's upstream runs."""


class LeaseLost(Leave):
    """Another worker has the run now. Write nothing more and stop quietly."""
