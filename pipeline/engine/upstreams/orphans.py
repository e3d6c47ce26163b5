"""Upstream runs that outlived their run: they cost money and hold a slot of their account, which nobody else would notice."""

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
    """Ask for some of them: note those that have ended, and tell people once of those that have not."""
    orphans = UpstreamRun.objects.filter(status=UpstreamRun.Status.RUNNING, run__status__in=TERMINAL)
    for orphan in orphans.order_by("?")[:ORPHANS_PER_ROUND]:
        settle_orphan(orphan)


def settle_orphan(orphan: UpstreamRun) -> None:
    try:
        seen = get_source(orphan.source).look(orphan.upstream_id or "")
    except (RunError, KeyError) as error:
        logger.info("%s could not be looked at: %s", orphan, error)
    else:
        if seen.ended:
            still = UpstreamRun.objects.filter(pk=orphan.pk, status=UpstreamRun.Status.RUNNING, run__status__in=TERMINAL)
            if still.update(**ledger_fields(orphan, seen, seen.state)):
                logger.info("%s has ended since its run was over.", orphan)
            return
    if not orphan.run.events.filter(kind="orphan").exists():
        label = source_label(orphan.source)
        warn_and_record(
            "orphan",
            f"Run {orphan.run_id} is over, but {label} run {orphan.upstream_id} was still running when last seen."
            f" Retry run {orphan.run_id} to go on with it, or end it at {label}: the page of the run has both.",
            run=orphan.run,
        )
