"""One claimed run, top to bottom: find the handler, let it work, and turn what it answered into a state."""

import contextlib
import logging
import time
import traceback
from collections.abc import Callable
from functools import partial

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection

from ...contract.errors import (
    BlockedError,
    Cancelled,
    CredentialRejected,
    HandBack,
    InvalidRequest,
    LeaseLost,
    Park,
    PermanentError,
    RunError,
    SlowDown,
    TransientError,
    UpstreamDown,
)
from ...contract.parameters import clean_parameters
from ...contract.registry import get_type
from ...models import Run
from ..database import now
from ..lifecycle import by_worker
from ..lifecycle.lease import Lease
from ..upstreams import health
from .context import WorkerContext

logger = logging.getLogger(__name__)
DATABASE_SECONDS = 5  # until a run that lost the database in its work is taken up again
FINAL_WRITE_SECONDS = 120  # how long the end of a run is tried to be written before the lease is left to lapse


def execute(run: Run, lease: Lease, *, stopping: Callable[[], bool], waits_here: bool = False) -> None:
    """Work the run and write its next state. Whatever happens, the caller can go on to the next run."""
    logger.debug("Run %s (%s) begins.", run.pk, run.job_type)
    finish = _work(run, lease, stopping, waits_here)
    try:
        _write(finish)
    except LeaseLost:
        logger.info("Run %s was taken over by another worker; this one writes nothing.", run.pk)
    except DatabaseError:
        logger.exception(
            "The end of run %s could not be written. Its lease lapses and another worker takes it from its last step.", run.pk
        )
    except Exception as error:  # in what the type does when its run ends
        logger.exception("Run %s could not be ended.", run.pk)
        with contextlib.suppress(LeaseLost):
            _write(_failed_by(error, lease, cancel_seen=True))


def _work(run: Run, lease: Lease, stopping: Callable[[], bool], waits_here: bool) -> Callable[[], None]:
    """Do the work; the answer is the transition to make."""
    ctx = WorkerContext(run, lease, stopping=stopping, waits_here=waits_here)
    try:
        handler = get_type(run.job_type)
        params = clean_parameters(handler.Params, run.parameters, ctx.brand)
        done = handler.run(ctx, params)
    except Park as way:
        due_at, reason, knew = way.due_at, way.reason, ctx.cancelling
        return lambda: by_worker.park(lease, due_at, reason, cancel_seen=knew)
    except HandBack:
        return lambda: by_worker.hand_back(lease)
    except LeaseLost:
        return _nothing
    except Cancelled:
        return partial(_cancel, ctx, lease)
    except (SlowDown, UpstreamDown, CredentialRejected) as error:
        return partial(_upstream_trouble, error, lease, ctx.cancelling)
    except BlockedError as error:
        words, seconds, limited, knew = str(error), error.seconds, error.limited, ctx.cancelling
        return lambda: by_worker.block(lease, words, seconds, limited=limited, cancel_seen=knew)
    except InvalidRequest as error:
        if ctx.cancelling:  # nobody can land what it has upstream, which is to end all the same
            return partial(_cancel, ctx, lease)
        words = f"The parameters no longer fit. {error}"
        return lambda: by_worker.fail(lease, words, permanent=True, cancel_seen=False)
    except RunError as error:
        if ctx.cancelling and isinstance(error, TransientError):  # it asks again: what was paid for is there to be landed
            words = str(error)
            return lambda: by_worker.block(lease, words, health.ASK_AGAIN.total_seconds(), limited=False, cancel_seen=True)
        if ctx.cancelling:
            return partial(_cancel, ctx, lease)
        words, permanent, retry_at = str(error), isinstance(error, PermanentError), getattr(error, "retry_at", None)
        if not isinstance(error, PermanentError | TransientError):
            permanent = True  # an unknown start: a person decides
        return lambda: by_worker.fail(lease, words, permanent=permanent, not_before=retry_at, cancel_seen=False)
    except (OperationalError, InterfaceError) as error:  # the database's trouble, not the run's
        connection.close()
        words = f"The database could not be used ({str(error).strip()})."
        logger.warning("Run %s was interrupted. %s", run.pk, words)
        knew = ctx.cancelling  # limited: SQLite says the same of a column that is not there
        return lambda: by_worker.block(lease, words, DATABASE_SECONDS, cancel_seen=knew)
    except Exception as error:
        if isinstance(error, DatabaseError):
            connection.close()
        logger.exception("Run %s failed.", run.pk)
        return _failed_by(error, lease, ctx.cancelling)
    return lambda: by_worker.complete(lease, done)


def _cancel(ctx: WorkerContext, lease: Lease) -> None:
    """Over, once what the handler may have left at work upstream was asked to end."""
    try:
        ctx.abort_upstream()
    except (SlowDown, UpstreamDown, CredentialRejected) as error:
        _upstream_trouble(error, lease, cancelling=True)
    except RunError as error:
        by_worker.block(lease, str(error), health.ASK_AGAIN.total_seconds(), limited=False, cancel_seen=True)
    else:
        by_worker.finish_cancel(lease, _cancel_words(ctx.run))


def _upstream_trouble(error: SlowDown | UpstreamDown | CredentialRejected, lease: Lease, cancelling: bool) -> None:
    """The account's trouble is every run's: noted first, then this run waits, or fails of it."""
    words = str(error)
    match error:
        case SlowDown():
            until = health.slow_down(error.source, error.asked)
            rest = max((until - now()).total_seconds(), 1)
            by_worker.block(lease, words, rest, limited=False, cancel_seen=cancelling)
            return
        case CredentialRejected():  # this one fails and says it; no other need find it out for itself
            health.note_rejection(error.source, words)
            waits = False
        case _:
            waits = health.note_failure(error.source, words)
    if waits or cancelling:  # a cancel asks again: its run upstream goes on costing money meanwhile
        by_worker.block(lease, words, health.FIRST_PROBE.total_seconds(), limited=False, cancel_seen=cancelling)
    else:
        by_worker.fail(lease, words, permanent=isinstance(error, CredentialRejected), cancel_seen=False)


def _failed_by(error: Exception, lease: Lease, cancel_seen: bool) -> Callable[[], None]:
    """A bug: a failed try, with its traceback."""
    words, trace = f"{type(error).__name__}: {error}", traceback.format_exc()
    return lambda: by_worker.fail(lease, words, permanent=False, traceback=trace, cancel_seen=cancel_seen)


def _write(finish: Callable[[], None]) -> None:
    """The work is done and must not be repeated for a database that was away: try its last write again for a while."""
    end = time.monotonic() + FINAL_WRITE_SECONDS
    while True:
        try:
            finish()
            return
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > end:
                raise
            logger.warning("The end of a run could not be written yet: %s", str(error).strip())
            connection.close()
            time.sleep(1)


def _nothing() -> None: ...


def _cancel_words(run: Run) -> str:
    landed = sum(upstream.read_offset for upstream in run.upstream_runs.all())
    return f"Cancelled. {landed:,} items that were already paid for are saved." if landed else "Cancelled."
