"""Faults of a run and its dataset: how the run ends, and what remains of it."""

from typing import Any

import pytest

from competitors.sandbox.server import Sandbox

from .conftest import Api, Clock, star_sweeps


@pytest.mark.parametrize("status", ["FAILED", "TIMED-OUT", "ABORTED"])
def test_a_run_that_ends_badly_keeps_part_of_its_items(api: Api, status: str) -> None:
    whole = len(api.items(api.ended(api.started(star_sweeps())["id"])))
    api.sandbox.account.faults.arm("end_as", f"{status}:0.3", count=1)
    run = api.ended(api.started(star_sweeps())["id"])
    assert (run["status"], len(api.items(run))) == (status, int(whole * 0.3))
    assert run["exitCode"] != 0 and run["usageTotalUsd"] > 0
    assert api.ended(api.started()["id"])["status"] == "SUCCEEDED"


def test_a_run_that_never_ends_can_be_aborted(start_sandbox: Any) -> None:
    api = Api(start_sandbox(run_seconds=0.05, abort_seconds=0, max_wait_seconds=0.2))
    api.sandbox.account.faults.arm("never_ends")
    run = api.started(timeout=1)
    assert api.ended(run["id"])["status"] == "RUNNING"
    assert api.post(f"/v2/actor-runs/{run['id']}/abort").json()["data"]["status"] == "ABORTED"


def test_a_run_that_never_starts_stays_ready(start_sandbox: Any) -> None:
    api = Api(start_sandbox(run_seconds=0.05, max_wait_seconds=0.2))
    api.sandbox.account.faults.arm("never_starts")
    assert api.ended(api.started()["id"])["status"] == "READY"


def test_a_running_run_can_show_a_status_that_nobody_knows(timed: Api, clock: Clock) -> None:
    timed.sandbox.account.faults.arm("odd_status")
    run = timed.started()
    clock.advance(50)
    assert timed.run(run["id"])["status"] == "PAUSED"
    clock.advance(50)
    assert timed.run(run["id"])["status"] == "SUCCEEDED"


def test_an_abort_can_take_its_time(hour_long: Sandbox) -> None:
    api = Api(hour_long)
    hour_long.account.faults.arm("slow_abort", 3600)
    run = api.started()
    for _ in range(2):
        assert api.post(f"/v2/actor-runs/{run['id']}/abort").json()["data"]["status"] == "ABORTING"
    hour_long.account.finish()
    assert api.run(run["id"])["status"] == "ABORTED"


def test_a_run_may_succeed_with_nothing(api: Api) -> None:
    api.sandbox.account.faults.arm("no_items")
    run = api.ended(api.started()["id"])
    assert (run["status"], api.items(run), run["usageTotalUsd"]) == ("SUCCEEDED", [], 0)


def test_a_run_may_succeed_with_nothing_but_errors(api: Api) -> None:
    api.sandbox.account.faults.arm("only_errors")
    run = api.ended(api.started(star_sweeps())["id"])
    items = api.items(run)
    assert run["status"] == "SUCCEEDED" and len(items) == 6
    assert all(item["statusCode"] == 404 and "reviewId" not in item for item in items)


def test_a_vanished_run_is_gone_for_good_but_its_dataset_stays(api: Api) -> None:
    run = api.ended(api.started()["id"])
    api.sandbox.account.faults.arm("vanish_run", count=1)
    for _ in range(2):
        assert api.get(f"/v2/actor-runs/{run['id']}").json()["error"]["type"] == "record-not-found"
    assert api.get("/v2/actor-runs").json()["data"]["total"] == 0
    assert api.items(run)
    assert api.run(api.started()["id"])


def test_a_dataset_that_is_gone_stays_gone(api: Api) -> None:
    run = api.ended(api.started()["id"])
    api.sandbox.account.faults.arm("dataset_gone", count=1)
    for path in (f"/v2/datasets/{run['defaultDatasetId']}/items", f"/v2/datasets/{run['defaultDatasetId']}"):
        assert api.get(path).json()["error"]["type"] == "record-not-found"
    shortcut = api.get(f"/v2/actor-runs/{run['id']}/dataset/items")
    assert (shortcut.status_code, shortcut.json()["error"]["type"]) == (404, "default-dataset-not-found")
    assert api.items(api.ended(api.started()["id"]))


def just_ended(api: Api, clock: Clock, fault: str) -> dict[str, Any]:
    """A run with a lag of 50 seconds, at the moment of its end."""
    api.sandbox.account.faults.arm(fault, 50)
    run = api.started(star_sweeps())
    clock.advance(100)
    return run


def test_a_lagging_total_is_short_though_the_rows_are_there(timed: Api, clock: Clock) -> None:
    run = just_ended(timed, clock, "lag_total")
    answer = timed.get(f"/v2/datasets/{run['defaultDatasetId']}/items")
    assert 0 < int(answer.headers["X-Apify-Pagination-Total"]) < len(answer.json())
    assert int(answer.headers["X-Apify-Pagination-Count"]) == len(answer.json())
    clock.advance(50)
    later = timed.get(f"/v2/datasets/{run['defaultDatasetId']}/items")
    assert int(later.headers["X-Apify-Pagination-Total"]) == len(later.json()) == len(answer.json())


def test_lagging_items_come_later(timed: Api, clock: Clock) -> None:
    run = just_ended(timed, clock, "lag_items")
    early = len(timed.items(run))
    clock.advance(50)
    assert 0 < early < len(timed.items(run))


def test_endless_items_are_full_pages_for_ever(api: Api) -> None:
    api.sandbox.account.faults.arm("endless_items")
    run = api.ended(api.started()["id"])
    pages = [api.get(f"/v2/datasets/{run['defaultDatasetId']}/items?limit=500&offset={n * 500}").json() for n in (0, 1, 9)]
    assert [len(page) for page in pages] == [500, 500, 500]


def test_late_costs_settle_late(timed: Api, clock: Clock) -> None:
    run = just_ended(timed, clock, "late_costs")
    first = timed.run(run["id"])
    assert first["status"] == "SUCCEEDED"
    clock.advance(49)
    assert timed.run(run["id"])["usageTotalUsd"] == first["usageTotalUsd"]
    clock.advance(2)
    assert timed.run(run["id"])["usageTotalUsd"] == pytest.approx(2 * first["usageTotalUsd"])


def test_costs_may_never_come(api: Api) -> None:
    api.sandbox.account.faults.arm("no_costs")
    assert api.ended(api.started()["id"])["usageTotalUsd"] is None
