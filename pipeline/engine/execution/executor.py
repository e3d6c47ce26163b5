"""Executes one claimed run: finds the handler, calls it, and turns its answer or error into the run's next state."""

import contextlib
import logging
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection
from structlog.contextvars import bound_contextvars

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
from ...contract.job_type import Done
from ...contract.parameters import clean_parameters
from ...contract.registry import get_type
from ...contract.source import source_label
from ...models import Run, UpstreamRun
from ..database import now
from ..lifecycle import by_worker
from ..lifecycle.ends import plain_end, plain_sleep
from ..lifecycle.ends.one_go import NextClaim
from ..lifecycle.lease import Lease
from ..lifecycle.state import subject_now
from ..upstreams import health
from .context import WorkerContext
from .final_write import new_reference, traceback_of, write_end

logger = logging.getLogger(__name__)
DATABASE_RETRY_SECONDS = 5  # until a run that lost the database continues


def execute(
    run: Run, lease: Lease, *, stopping: Callable[[], bool], waits_here: bool = False, then: NextClaim | None = None
) -> None:
    """Execute the run and write its next state. Whatever happens, the caller can go on to the next run.

    `then`: the worker's next claim, which may be made together with the end of this run.
    """
    with bound_contextvars(**_about(run)):
        logger.debug("Run %s (%s) begins.", run.pk, run.job_type)
        ctx = WorkerContext(run, lease, stopping=stopping, waits_here=waits_here)
        try:
            write_end(_work(ctx, lease, then), lease, ctx.cancelling)
        except LeaseLost:
            logger.info("Run %s was taken over by another worker; this one writes nothing.", run.pk)


def _about(run: Run) -> dict[str, Any]:
    """For log lines as JSON. Only they name the brand, so only for them it is read: each run would pay for that."""
    about: dict[str, Any] = {"run": run.pk, "job_type": run.job_type}
    if settings.LOG_FORMAT == "json":
        with contextlib.suppress(DatabaseError):  # the handler's own queries say what is wrong, and the run waits
            if run.brand:
                about["brand"] = run.brand.slug
    return about


def _work(ctx: WorkerContext, lease: Lease, then: NextClaim | None) -> Callable[[], None]:
    """Do the work. Returns the state change to make."""
    run = ctx.run
    try:
        handler = get_type(run.job_type)
        params = clean_parameters(handler.Params, run.parameters, ctx.brand)
        _follow_subject(ctx)
        done = handler.run(ctx, params)
    except Park as way:
        return partial(_park, ctx, lease, way, then)
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
        if ctx.cancelling:  # its items cannot be saved, but its upstream run is still stopped
            return partial(_cancel, ctx, lease)
        words = f"The options are no longer valid. {error}"
        return lambda: by_worker.fail(lease, words, permanent=True, kind="InvalidRequest", cancel_seen=False)
    except RunError as error:
        if ctx.cancelling and isinstance(error, TransientError):  # try again: paid-for items are still to be saved
            words = str(error)
            return lambda: by_worker.block(lease, words, health.ASK_AGAIN_AFTER.total_seconds(), limited=False, cancel_seen=True)
        if ctx.cancelling:
            return partial(_cancel, ctx, lease)
        words, permanent, retry_at = str(error), isinstance(error, PermanentError), getattr(error, "retry_at", None)
        if not isinstance(error, PermanentError | TransientError):
            permanent = True  # an unknown start: a person decides
        kind = type(error).__name__
        return lambda: by_worker.fail(lease, words, permanent=permanent, kind=kind, not_before=retry_at, cancel_seen=False)
    except (OperationalError, InterfaceError) as error:  # the database's fault, not the run's
        connection.close()
        words = f"The database could not be used ({str(error).strip()})."
        logger.warning("Run %s was interrupted. %s", run.pk, words)
        knew = ctx.cancelling  # limited: in SQLite a missing column raises the same error, and waiting does not fix it
        return lambda: by_worker.block(lease, words, DATABASE_RETRY_SECONDS, cancel_seen=knew)
    except Exception as error:  # noqa: BLE001  logged below
        if isinstance(error, DatabaseError):
            connection.close()
        return _failed_by(error, lease, ctx.cancelling)
    if handler.source and not handler.actor:  # what is paid is noted by the ledger, with each answer
        health.note_success(handler.source)
    return lambda: _completed(ctx, lease, done, then)


def _completed(ctx: WorkerContext, lease: Lease, done: Done, then: NextClaim | None) -> None:
    if not plain_end.complete(ctx.run, lease, done, _following(ctx, then)):
        by_worker.complete(lease, done)


def _park(ctx: WorkerContext, lease: Lease, way: Park, then: NextClaim | None) -> None:
    if way.step and plain_sleep.fall_asleep(ctx.run, lease, way.step, way.due_at, way.reason, _following(ctx, then)):
        return
    by_worker.park(lease, way.due_at, way.reason, cancel_seen=ctx.cancelling, step=way.step)


def _following(ctx: WorkerContext, then: NextClaim | None) -> NextClaim | None:
    """Not again if it may have been what failed: the end of a run needs no claim."""
    return then if then and not then.unanswered and not ctx.stopping() else None


def _follow_subject(ctx: WorkerContext) -> None:
    """A run that has fetched nothing yet is about what its subject is now; what was fetched of something else is not saved."""
    subject = subject_now(ctx.run)
    if subject is None or subject.about == ctx.run.about:  # None: the handler says so, if it needs it
        return
    # '': a run from before this was recorded
    if ctx.run.about and ctx.run.upstream_runs.filter(upstream_id__isnull=False).exists():
        raise PermanentError(f"This run was about {ctx.run.subject_label}, which is now {subject.label}. Start a new run.")
    with ctx.fenced():
        Run.objects.filter(pk=ctx.run.pk).update(about=subject.about, subject_label=subject.label)
    ctx.run.about, ctx.run.subject_label = subject.about, subject.label


def _cancel(ctx: WorkerContext, lease: Lease) -> None:
    """End the cancelled run, after asking the upstream to stop what still runs there."""
    try:
        ctx.abort_upstream()
    except (SlowDown, UpstreamDown, CredentialRejected) as error:
        _upstream_trouble(error, lease, cancelling=True)
    except RunError as error:
        by_worker.block(lease, str(error), health.ASK_AGAIN_AFTER.total_seconds(), limited=False, cancel_seen=True)
    else:
        by_worker.finish_cancel(lease, _cancel_words(ctx.run))


def _upstream_trouble(error: SlowDown | UpstreamDown | CredentialRejected, lease: Lease, cancelling: bool) -> None:
    """The upstream account has a problem: record it for all its runs, then this run waits or fails."""
    words = str(error)
    match error:
        case SlowDown():
            until = health.slow_down(error.source, error.asked)
            rest = max((until - now()).total_seconds(), 1)
            by_worker.block(lease, words, rest, limited=False, cancel_seen=cancelling)
            return
        case CredentialRejected():  # this run fails with the reason; the others wait
            health.note_rejection(error.source, words)
            waits = False
        case _:
            waits = health.note_failure(error.source, words)
    if waits or cancelling:  # a cancel is tried again: its upstream run still costs money
        by_worker.block(lease, words, health.MIN_PROBE_PAUSE.total_seconds(), limited=False, cancel_seen=cancelling)
    else:
        permanent = isinstance(error, CredentialRejected)
        by_worker.fail(lease, words, permanent=permanent, kind=type(error).__name__, cancel_seen=False)


def _failed_by(error: Exception, lease: Lease, cancel_seen: bool) -> Callable[[], None]:
    """The state change for a bug: a failed try. A person reads a sentence, and the log and the attempt have the traceback."""
    reference, trace = new_reference(), traceback_of(error)
    logger.error("Run %s was stopped by an error in our code (reference %s).", lease.run_id, reference, exc_info=error)
    words = f"An error in our code stopped this run (reference {reference}). The traceback is below and in the worker's log."
    kind = f"bug: {type(error).__name__}"
    return lambda: by_worker.fail(lease, words, permanent=False, kind=kind, traceback=trace, cancel_seen=cancel_seen)


def _nothing() -> None: ...


def _cancel_words(run: Run) -> str:
    """What was paid for is saved, which the run's end says, or lost: its job type could not read it any more."""
    lost = list(UpstreamRun.objects.filter(run=run, upstream_id__isnull=False, read_complete=False))
    if not lost:
        return "Cancelled."
    cost = sum((upstream.cost_actual or 0 for upstream in lost), Decimal(0))
    label = source_label(lost[0].source)
    return f"Cancelled. What {label} fetched{f' for ${cost:.2f}' if cost else ''} could not be saved."
