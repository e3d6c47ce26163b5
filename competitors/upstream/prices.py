"""What Apify says of an actor's price, read field by field: a kind that is new or makes no sense is unknown."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipeline.contract.source import Offer, Price

MOST_USD = 10  # of one item; more makes no sense
ITEM_EVENT = "apify-default-dataset-item"  # the event that Apify charges by itself for each item
WARNINGS = {"UNDER_MAINTENANCE": "Apify says that this actor is under maintenance."}
DEPRECATED = "Apify says that this actor is deprecated. It may stop working."


def read_offer(actor: Any) -> Offer:
    """The offer of an actor's object. `pricingInfos` holds past, present and announced prices."""
    actor = actor if isinstance(actor, Mapping) else {}
    infos = actor.get("pricingInfos")
    prices = [
        Price(since, _per_item(info))
        for info in (infos if isinstance(infos, list) else [])
        if isinstance(info, Mapping) and (since := _moment(info.get("startedAt")))
    ]
    notice = actor.get("notice")
    warnings = [DEPRECATED] if actor.get("isDeprecated") is True else []
    warnings += [WARNINGS[notice]] if isinstance(notice, str) and notice in WARNINGS else []
    return Offer(sorted(prices, key=lambda price: price.since), " ".join(warnings))


def _per_item(info: Mapping[str, Any]) -> Decimal | None:
    """USD of one item. None for models without a price per item (FREE, FLAT_PRICE_PER_MONTH) and for new ones."""
    match info.get("pricingModel"):
        case "PRICE_PER_DATASET_ITEM":
            return _either(info, "pricePerUnitUsd", "tieredPricing", "tieredPricePerUnitUsd")
        case "PAY_PER_EVENT":
            per_event = info.get("pricingPerEvent")
            events = per_event.get("actorChargeEvents") if isinstance(per_event, Mapping) else None
            event = _item_event(events) if isinstance(events, Mapping) else None
            return _either(event, "eventPriceUsd", "eventTieredPricingUsd", "tieredEventPriceUsd") if event else None
    return None


def _item_event(events: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The event that is charged per item: Apify's own, the one marked as primary, or the only one that repeats."""
    known = {name: event for name, event in events.items() if isinstance(event, Mapping)}
    if ITEM_EVENT in known:
        return known[ITEM_EVENT]
    primary = [event for event in known.values() if event.get("isPrimaryEvent") is True]
    again = [event for event in known.values() if event.get("isOneTimeEvent") is not True]
    return next((found[0] for found in (primary, again) if len(found) == 1), None)


def _either(info: Mapping[str, Any], flat: str, tiered: str, of_tier: str) -> Decimal | None:
    """The flat price, else the highest of the tiers: which one is the account's is not told here."""
    tiers = info.get(tiered)
    entries = tiers.values() if isinstance(tiers, Mapping) else []
    prices = [_usd(entry.get(of_tier)) for entry in entries if isinstance(entry, Mapping)]
    price = _usd(info.get(flat))
    return price if price is not None else max((one for one in prices if one is not None), default=None)


def _usd(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_USD:
        return None
    return round(Decimal(str(value)), 6)


def _moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None
