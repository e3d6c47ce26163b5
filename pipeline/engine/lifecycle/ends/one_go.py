"""What a worker writes to its run and beside it, as one statement on PostgreSQL, one after the other on SQLite."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Protocol

from django.db import IntegrityError, connection, models, transaction

from ....models import Run
from ...database import Statement, rows, together

logger = logging.getLogger(__name__)


class NextClaim(Protocol):
    """The claim of the worker's next run, sent together with what ends this one's turn: half the round trips and commits."""

    @property
    def unanswered(self) -> bool:
        """Whether it was sent, and no answer came."""

    limited: bool  # whether the claim takes the claim's lock

    def statements(self, ended: int) -> tuple[Statement, Statement]:
        """What comes first, and the claim, which takes nothing if the run goes on."""

    def hand_over(self, found: list[Any]) -> None: ...

    def take_here(self) -> None:
        """On SQLite: make the claim now, in the open transaction."""


def write(run: Run, mine: Statement, beside: Sequence[Statement], then: NextClaim | None = None) -> bool:
    """Whether `mine` changed the run's row. Otherwise, and if a row beside it is there already, nothing is written.

    `mine` returns one column, which it names `at`. `beside`: what reads that from `mine`.
    """
    try:
        if connection.vendor != "postgresql":
            return _one_by_one(run, mine, beside, then)
        parts = ", ".join(f"part{number} AS ({query})" for number, (query, _) in enumerate(beside))
        values = [value for _, its in [mine, *beside] for value in its]
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return _send((f"WITH mine AS ({mine[0]}), {parts} SELECT at FROM mine", values), run, then)
    except IntegrityError:
        return False


def _one_by_one(run: Run, mine: Statement, beside: Sequence[Statement], then: NextClaim | None) -> bool:
    """SQLite writes nothing within a SELECT."""
    try:
        with transaction.atomic():
            found = rows(*mine)
            for query, values in beside if found else []:
                rows(f"WITH mine AS (SELECT %s AS at) {query}", [*found[0], *values])
            if found and then:
                then.take_here()
            return bool(found)
    except Exception:  # a savepoint around each claim would take longer than most of them
        if then is None:
            raise
        logger.exception("What run %s came to could not be written together with the next claim. It is written alone.", run.pk)
        return _one_by_one(run, mine, beside, None)


def _send(change: Statement, run: Run, then: NextClaim | None) -> bool:
    if then is None:
        return bool(rows(*change))
    before, claim = then.statements(run.pk)
    if then.limited:  # the lock is for the claim alone, and nobody waits for it who has locked a run
        found, _, claimed = together([change], [before, claim])
    else:
        _, found, claimed = together([before, change, claim])
    then.hand_over(claimed)
    return bool(found)


def saved(model: type[models.Model], name: str, value: Any) -> Any:
    return model._meta.get_field(name).get_db_prep_save(value, connection)  # type: ignore[union-attr]
