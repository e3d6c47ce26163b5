"""What runs cost, when the cost settles, and the limits of a run and of the account."""

import time
from typing import Any

import pytest

from competitors.sandbox.server import Sandbox

from .conftest import Api, Clock, one_sweep, star_sweeps


def test_every_item_is_charged(api: Api) -> None:
    run = api.ended(api.started(star_sweeps())["id"])
    assert run["usageTotalUsd"] == pytest.approx(len(api.items(run)) * 0.75 / 1000)


def test_the_price_can_be_set(start_sandbox: Any) -> None:
    api = Api(start_sandbox(price_per_1000_usd=0.9))
    run = api.ended(api.started()["id"])
    assert run["usageTotalUsd"] == pytest.approx(len(api.items(run)) * 0.9 / 1000)


def test_costs_settle_some_time_after_the_end(start_sandbox: Any, clock: Clock) -> None:
    api = Api(start_sandbox(run_seconds=100, settle_seconds=10, clock=clock))
    run = api.started()
    clock.advance(100)
    full = pytest.approx(len(api.items(run)) * 0.75 / 1000)
    assert 0 < api.run(run["id"])["usageTotalUsd"] < full.expected
    clock.advance(10)
    assert api.run(run["id"])["usageTotalUsd"] == full
    assert api.get("/v2/actor-runs").json()["data"]["items"][0]["usageTotalUsd"] == full


def test_max_items_caps_the_charge_and_stops_the_run_softly(api: Api) -> None:
    run = api.ended(api.started(star_sweeps(), maxItems=25)["id"])
    assert run["status"] == "SUCCEEDED" and "limit of this run" in run["statusMessage"]
    assert 25 <= len(api.items(run)) < 40
    assert run["usageTotalUsd"] == pytest.approx(25 * 0.75 / 1000)


def test_max_total_charge_caps_the_charge_and_stops_the_run_softly(api: Api) -> None:
    run = api.ended(api.started(star_sweeps(), maxTotalChargeUsd=0.03)["id"])
    assert 40 <= len(api.items(run)) < 55
    assert run["usageTotalUsd"] == pytest.approx(0.03)


def test_a_cap_above_the_sweep_changes_nothing(api: Api) -> None:
    run = api.ended(api.started(maxItems=5000, maxTotalChargeUsd=5)["id"])
    assert "limit of this run" not in run["statusMessage"]


def test_the_memory_of_the_account_is_shared(hour_long: Sandbox) -> None:
    hour_long.account.config.change({"memory_limit_mbytes": 4096})
    api = Api(hour_long)
    first = api.started(memory=2048)
    api.started(memory=2048)
    refused = api.start(memory=2048)
    assert (refused.status_code, refused.json()["error"]["type"]) == (402, "actor-memory-limit-exceeded")
    hour_long.account.finish(first["id"])
    assert api.start(memory=2048).status_code == 201
    assert hour_long.state["runs_started"] == 3


def test_the_number_of_concurrent_runs_is_limited(hour_long: Sandbox) -> None:
    hour_long.account.config.change({"concurrent_runs_limit": 1})
    api = Api(hour_long)
    api.started()
    refused = api.start()
    assert (refused.status_code, refused.json()["error"]["type"]) == (402, "concurrent-runs-limit-exceeded")


def test_a_spent_month_refuses_further_runs(start_sandbox: Any) -> None:
    api = Api(start_sandbox(monthly_limit_usd=0.05))
    api.ended(api.started()["id"])
    refused = api.start(one_sweep())
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "platform-feature-disabled")
    assert refused.json()["error"]["message"] == "Monthly usage hard limit exceeded"


def test_the_limits_show_what_is_in_use(hour_long: Sandbox) -> None:
    api = Api(hour_long)
    api.started(memory=4096)
    current = api.get("/v2/users/me/limits").json()["data"]["current"]
    assert (current["activeActorJobCount"], current["actorMemoryGbytes"]) == (1, 4)
    cycle = api.get("/v2/users/me/limits").json()["data"]["monthlyUsageCycle"]
    assert cycle["startAt"] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) < cycle["endAt"]
