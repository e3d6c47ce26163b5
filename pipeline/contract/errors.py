"""What can go wrong in a run, one class per case. The engine decides by class alone; the message is what an operator reads.

A message says what happened, to what, and what to do now, in one or two full sentences, and holds no secret.
"""

from datetime import datetime


class PipelineError(Exception):
    """Anything the engine or a source says in words meant for a person."""


class InvalidRequest(PipelineError):
    """What was asked for cannot be done as asked. `errors` maps a parameter's name ('' for none) to its messages."""

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
    """The upstream does not take our token, or there is none. The run that met it fails; all others of the account wait."""

    def __init__(self, message: str, source: str):
        super().__init__(message)
        self.source = source


class TransientError(RunError):
    """May well work later. Costs a try; the next one comes with backoff, not before `retry_at` if that is given."""

    def __init__(self, message: str, retry_at: datetime | None = None):
        super().__init__(message)
        self.retry_at = retry_at


class BlockedError(RunError):
    """Not possible just now through nobody's fault (upstream full, spend limit). Waits with this reason and costs no try.

    `limited`: after two hours of it the wait counts as a failed try, since an upstream can be "full" for ever.
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
    """The upstream does not answer, or with an error of its own. After a few in a row its runs wait until a probe succeeds."""

    def __init__(self, message: str, source: str):
        super().__init__(message)
        self.source = source


class ItemsGone(PermanentError):
    """The upstream no longer has what a run wrote: nothing more of it can be landed."""


class AmbiguousStart(RunError):
    """A paid start got no clear answer: it may or may not have taken. Never repeated before the upstream has been asked."""


class UnknownStart(RunError):
    """After a day the upstream still could not say whether a paid start took. A person decides: adopt it or start again."""


class SpendRefused(PermanentError):
    """Another paid start would cost more than PIPELINE_RETRY_SPEND_USD after dead ones; a person has to ask for it."""


# ---- how a handler's stack is left without an answer; raised by the context, never by handlers -----------------------
class Leave(BaseException):
    """Base of the ways out. A BaseException, so that a handler's `except Exception` does not swallow it."""


class Park(Leave):
    """The run waits (upstream, or for a time) and holds no worker until `due_at`."""

    def __init__(self, due_at: datetime, reason: str = ""):
        super().__init__(reason)
        self.due_at, self.reason = due_at, reason


class HandBack(Leave):
    """This worker is stopping: the run goes back to the line at once, no try spent."""


class Cancelled(Leave):
    """A person cancelled the run; what was paid for has been landed."""


class LeaseLost(Leave):
    """Somebody else has the run now. Nothing more may be written; stop quietly."""
