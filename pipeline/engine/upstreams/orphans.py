"""Orphans: upstream runs that still run when our run is over. They cost money and use a slot, and nothing else notices them."""

import logging

from ...contract.errors import RunError
from ...contract.source import get_source, source_label
from ...models import UpstreamRun
from ...states import TERMINAL
from ..journal import warn_and_record
from .ledger import ledger_fields

logger = logging.getLogger(__name__)
ORPHANS_PER_ROUND = 20


def settle_orphans() -> None:
    """Read some orphans: update those that have ended, and report each of the others once."""
    orphans = UpstreamRun.objects.filter(status=UpstreamRun.Status.RUNNING, run__status__in=TERMINAL)
    for orphan in orphans.order_by("?")[:ORPHANS_PER_ROUND]:
        settle_orphan(orphan)


def settle_orphan(orphan: UpstreamRun) -> None:
    try:
        seen = get_source(orphan.source).read_run(orphan.upstream_id or "")
    except (RunError, KeyError) as error:
        logger.info("%s could not be read: %s", orphan, error)
    else:
        if seen.ended:
            still = UpstreamRun.objects.filter(pk=orphan.pk, status=UpstreamRun.Status.RUNNING, run__status__in=TERMINAL)
            if still.update(**ledger_fields(orphan, seen, seen.state)):
                logger.info("%s has ended; its run was already over.", orphan)
            return
    if not orphan.run.events.filter(kind="orphan").exists():
        label = source_label(orphan.source)
        warn_and_record(
            "orphan",
            f"Run {orphan.run_id} is over, but {label} run {orphan.upstream_id} was still running when last checked."
            f" On the page of run {orphan.run_id}, retry to continue with it, or end it at {label}.",
            run=orphan.run,
        )
