"""Keeps what actors cost as their upstreams tell it. Read by workers, once a day; estimates and costs are made from the rows."""

import logging
from datetime import datetime, timedelta
from decimal import Decimal

from ...contract.registry import all_types
from ...contract.source import Offer, get_source, source_label
from ...models import ActorPrice
from ..database import now
from ..journal import warn_and_record
from ..upstreams import health

logger = logging.getLogger(__name__)
READ_EVERY, TRY_AGAIN = timedelta(days=1), timedelta(hours=1)


def read_prices() -> None:
    """Read what is due, one worker at a time. Nothing that goes wrong here stops a run: the last known price counts."""
    at = now()
    for handler in all_types():
        if handler.actor:
            about = {"source": handler.source, "actor": handler.actor}
            ActorPrice.objects.get_or_create(**about, defaults={"next_read_at": at})
            # The worker whose update succeeds has the turn.
            mine = ActorPrice.objects.filter(**about, next_read_at__lte=at).update(next_read_at=at + TRY_AGAIN)
            if mine and handler.source not in health.resting(at):
                try:
                    _keep(
                        ActorPrice.objects.get(**about),
                        get_source(handler.source).offer(handler.actor),
                        handler.usual_price(),
                        at,
                    )
                except Exception:
                    logger.warning("The price of %s could not be read.", handler.actor, exc_info=True)


def due_for_start(source: str, actor: str) -> None:
    """A paid start is near: a price that is older than a day is read at the next turn, whatever failed before."""
    at = now()
    ActorPrice.objects.filter(source=source, actor=actor, read_at__lt=at - READ_EVERY).update(next_read_at=at)


def _keep(row: ActorPrice, offer: Offer, usual: Decimal | None, at: datetime) -> None:
    in_force = next((price for price in reversed(offer.prices) if price.since <= at), None)
    announced = next((price for price in offer.prices if price.since > at), None)
    was = row.at(at) if row.read_at else usual
    told = (row.next_usd, row.next_from, row.warning)
    row.usd, row.since = (in_force.usd, in_force.since) if in_force else (None, None)
    row.next_usd, row.next_from = (announced.usd, announced.since) if announced else (None, None)
    row.warning, row.read_at, row.next_read_at = offer.warning, at, at + READ_EVERY
    row.save()
    label = f"{source_label(row.source)}: {row.actor}"
    if row.usd is not None and was is not None and row.usd != was:
        warn_and_record("price_changed", f"{label} costs {per_thousand(row.usd)}. It was {per_thousand(was)}.")
    if row.next_usd is not None and (row.next_usd, row.next_from) != told[:2]:
        day = f"{row.next_from:%d %b %Y}" if row.next_from else ""
        warn_and_record("price_announced", f"{label} will cost {per_thousand(row.next_usd)} from {day} on.")
    if row.warning and row.warning != told[2]:
        warn_and_record("actor_warning", f"{label}: {row.warning}")


def per_thousand(usd: Decimal) -> str:
    """'$0.75 per 1,000 items'."""
    return f"${usd * 1000:,.2f} per 1,000 items"
