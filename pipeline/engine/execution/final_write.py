"""The write that ends an attempt: tried again, and if it never succeeds, the run fails with the cause.

A run whose end cannot be written must not lapse: that would count as its worker's death, and the work would be done again.
"""

import logging
import secrets
import time
import traceback
from collections.abc import Callable

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection

from ..lifecycle import by_worker
from ..lifecycle.lease import Lease, renew

logger = logging.getLogger(__name__)
AWAY_SECONDS = 120  # how long a database that is away is waited for; then the lease expires and another worker continues
TRIES = 3  # while the database answers
PAUSE = 1.0  # seconds


class DatabaseAway(Exception):
    """The database did not answer for AWAY_SECONDS."""


def write_end(finish: Callable[[], None], lease: Lease, cancelling: bool) -> None:
    """Write the run's next state, or fail the run if that cannot be written. LeaseLost if another worker has it."""
    try:
        _write(finish, lease)
    except DatabaseAway:
        logger.exception("The result of run %s could not be saved. Another worker continues it.", lease.run_id)
    except Exception as error:
        reference = new_reference()
        logger.exception("The end of run %s could not be saved (reference %s).", lease.run_id, reference)
        words = (
            f"The end of this run could not be saved: an error in our code (reference {reference}). What was fetched is kept, and"
            " nothing is paid for again. The traceback is below and in the worker's log."
        )
        _fail(lease, words, traceback_of(error), cancelling)


def _fail(lease: Lease, words: str, trace: str, cancelling: bool) -> None:
    def fail() -> None:
        by_worker.fail(lease, words, permanent=True, kind="NotSaved", traceback=trace, cancel_seen=cancelling)

    def fail_alone() -> None:
        by_worker.fail_alone(lease, words, trace)

    for way in (fail, fail_alone):
        try:
            _write(way, lease)
            break
        except Exception:
            logger.exception("The failure of run %s could not be saved.", lease.run_id)


def new_reference() -> str:
    """What a person reads to us, and what finds the traceback in the log."""
    return secrets.token_hex(3).upper()


def traceback_of(error: BaseException) -> str:
    """Of a chain that is endless or recursive as well."""
    return "".join(traceback.format_exception(error, limit=-60))


def _write(finish: Callable[[], None], lease: Lease) -> None:
    end, tries = time.monotonic() + AWAY_SECONDS, 0
    while True:
        try:
            return finish()
        except Exception as error:
            trouble = isinstance(error, OperationalError | InterfaceError)
            if trouble:
                connection.close()
            if trouble and not _database_answers(lease):
                if time.monotonic() > end:
                    raise DatabaseAway from error
            else:  # in SQLite a missing column is an OperationalError too
                tries += 1
                if tries >= TRIES:
                    raise
            logger.warning("The end of run %s could not be saved yet, trying again: %s", lease.run_id, str(error).strip())
            time.sleep(PAUSE)


def _database_answers(lease: Lease) -> bool:
    """Whether it takes a write at all."""
    try:
        renew(lease)
    except DatabaseError:
        connection.close()
        return False
    return True
