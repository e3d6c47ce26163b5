"""Prices come from the actor's own pricingInfos: read by a worker, kept in a row, used for estimates and costs."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from competitors.models import CompetitorAmazonUrl
from competitors.sandbox.server import Sandbox
from competitors.upstream.prices import read_offer
from pipeline import queries
from pipeline.contract.source import Price
from pipeline.engine.execution.prices import read_prices
from pipeline.models import ActorPrice, Event, Run
from tests.competitors.addresses import tab
from tests.competitors.scraping import finish

NAME, ACTOR = "amazon_review_scrape", "axesso_data/amazon-reviews-scraper"
pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2024-01-15T00:00:00.000Z"


def again() -> None:
    """A day later, at a worker."""
    ActorPrice.objects.update(next_read_at=timezone.now())
    read_prices()


def price() -> Decimal:
    return queries.price_now(NAME).usd * 1000


def told(kind: str) -> list[str]:
    return list(Event.objects.filter(kind=kind, message__contains=ACTOR).values_list("message", flat=True))


def known() -> ActorPrice:
    return ActorPrice.objects.get(actor=ACTOR)


def offer(**info: Any) -> list[Decimal | None]:
    return [one.usd for one in read_offer({"pricingInfos": [{"startedAt": LONG_AGO, **info}]}).prices]


@pytest.mark.parametrize(
    ("info", "usd"),
    [
        ({"pricingModel": "PRICE_PER_DATASET_ITEM", "pricePerUnitUsd": 0.00075}, "0.00075"),
        (
            {
                "pricingModel": "PRICE_PER_DATASET_ITEM",
                "tieredPricing": {"FREE": {"tieredPricePerUnitUsd": 0.002}, "GOLD": {"tieredPricePerUnitUsd": 0.001}},
            },
            "0.002",
        ),
        (
            {
                "pricingModel": "PAY_PER_EVENT",
                "pricingPerEvent": {
                    "actorChargeEvents": {
                        "apify-actor-start": {"eventPriceUsd": 0.05, "isOneTimeEvent": True},
                        "review": {"eventTieredPricingUsd": {"FREE": {"tieredEventPriceUsd": 0.003}}, "isPrimaryEvent": True},
                    }
                },
            },
            "0.003",
        ),
        ({"pricingModel": "FREE"}, None),
        ({"pricingModel": "FLAT_PRICE_PER_MONTH", "pricePerUnitUsd": 30, "trialMinutes": 0}, None),
        ({"pricingModel": "PER_MOON_PHASE", "pricePerUnitUsd": 1}, None),
        ({"pricingModel": "PRICE_PER_DATASET_ITEM", "pricePerUnitUsd": True}, None),
        ({"pricingModel": "PRICE_PER_DATASET_ITEM", "pricePerUnitUsd": 1e999}, None),
        ({"pricingModel": "PRICE_PER_DATASET_ITEM", "pricePerUnitUsd": 10**400}, None),
        ({"pricingModel": "PRICE_PER_DATASET_ITEM", "pricePerUnitUsd": -1}, None),
        ({"pricingModel": "PRICE_PER_DATASET_ITEM", "pricePerUnitUsd": "0.75"}, None),
    ],
)
def test_each_pricing_model_is_read_and_a_new_one_is_unknown(info: dict[str, Any], usd: str | None) -> None:
    assert offer(**info) == [Decimal(usd) if usd else None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
NAMES = ("startedAt", "pricingModel", "pricePerUnitUsd", "tieredPricing", "pricingPerEvent")


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries({"pricingInfos": st.lists(st.dictionaries(st.sampled_from(NAMES), JSON)) | JSON, "notice": JSON}))
def test_no_answer_breaks_the_reading(actor: dict[str, Any]) -> None:
    assert all(isinstance(one, Price) for one in read_offer(actor).prices)
    read_offer(json.loads(json.dumps(actor))["notice"])


def test_before_a_worker_has_asked_the_usual_price_counts(settings: Any) -> None:
    assert price() == Decimal("0.75")
    settings.AMAZON_REVIEWS_PRICE_USD = Decimal("0.80")
    assert price() == Decimal("0.80")


def test_a_worker_reads_the_price_once_a_day(sandbox: Sandbox) -> None:
    sandbox.account.config.price_per_1000_usd = 0.9
    read_prices()
    row = known()
    assert (price(), row.since) == (Decimal("0.9"), datetime(2024, 1, 15, tzinfo=UTC))
    assert row.next_read_at - (row.read_at or row.next_read_at) == timedelta(days=1)
    asked = sandbox.state["requests"]
    read_prices()
    assert sandbox.state["requests"] == asked
    assert told("price_changed") == [
        "Apify: axesso_data/amazon-reviews-scraper costs $0.90 per 1,000 items. It was $0.75 per 1,000 items."
    ]


def test_a_price_above_the_usual_one_is_told_before_the_click(
    sandbox: Sandbox, page: Client, listing: CompetitorAmazonUrl
) -> None:
    sandbox.account.config.price_per_1000_usd = 1.5
    read_prices()
    text = page.get(tab(listing.competitor)).content.decode()
    assert "≈ $1.86. Never more than $5.58." in text
    assert "The price is higher than usual: $1.50 per 1,000 items, usually $0.75 per 1,000 items." in text


def test_an_announced_price_is_told_and_counts_from_its_time_on(sandbox: Sandbox, time_machine: Any) -> None:
    soon = timezone.now() + timedelta(hours=12)
    sandbox.account.config.next_price_per_1000_usd, sandbox.account.config.next_price_at = 1.0, soon.timestamp()
    read_prices()
    assert price() == Decimal("0.75")
    assert "The price will rise to $1.00 per 1,000 items on" in queries.price_now(NAME).notes[0]
    assert told("price_announced")[0].startswith("Apify: axesso_data/amazon-reviews-scraper will cost $1.00 per 1,000 items from")
    again()
    assert len(told("price_announced")) == 1, "it is told once"
    time_machine.move_to(soon + timedelta(minutes=1))
    assert price() == Decimal("1.00")


@pytest.mark.parametrize("fault", ["server_error", "drop", "broken_json", "html_error", "rate_limit", "bad_token"])
def test_a_price_that_cannot_be_read_stops_nothing_and_is_tried_again(sandbox: Sandbox, run: Run, fault: str) -> None:
    read_prices()
    sandbox.account.config.price_per_1000_usd = 0.9
    sandbox.account.faults.arm(fault, path="/actors/")
    again()
    sandbox.account.faults.arm(fault, None)
    assert price() == Decimal("0.75"), "the last known one"
    assert known().next_read_at < timezone.now() + timedelta(hours=2)
    assert finish(run).status == "completed"


def test_a_kind_without_a_price_per_item_leaves_the_usual_one(sandbox: Sandbox) -> None:
    sandbox.account.faults.arm("pricing_model", value="FREE")
    read_prices()
    assert (known().usd, price()) == (None, Decimal("0.75"))


def test_an_actor_under_maintenance_is_told(sandbox: Sandbox) -> None:
    sandbox.account.faults.arm("actor_notice")
    read_prices()
    assert "under maintenance" in " ".join(queries.price_now(NAME).notes)
    assert "deprecated" in told("actor_warning")[0]


def test_a_run_without_a_reported_cost_is_booked_at_the_read_price(sandbox: Sandbox, run: Run) -> None:
    sandbox.account.config.price_per_1000_usd = 0.9
    read_prices()
    sandbox.account.faults.arm("no_costs")
    finish(run)
    assert run.cost_actual == round(Decimal(run.counts["raw"]) * Decimal("0.9") / 1000, 4)


def test_a_start_makes_an_old_price_due(sandbox: Sandbox, run: Run) -> None:
    read_prices()
    old = timezone.now() - timedelta(days=2)
    ActorPrice.objects.update(read_at=old, next_read_at=timezone.now() + timedelta(minutes=50))
    finish(run)
    assert known().next_read_at <= timezone.now()
