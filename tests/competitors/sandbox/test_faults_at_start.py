"""Faults of a start: what the caller sees, and whether a run exists."""

import pytest
import requests

from competitors.sandbox.server import Sandbox
from tests.processes import until

from .conftest import ACTOR, Api, Clock, client_of, one_sweep


def test_a_dropped_start_still_made_a_run(api: Api) -> None:
    api.sandbox.account.faults.arm("drop_start", count=1)
    with pytest.raises(requests.ConnectionError):
        api.start()
    assert api.sandbox.state["runs_started"] == 1
    assert api.start().status_code == 201


def test_the_official_client_sends_a_dropped_start_once(sandbox: Sandbox) -> None:
    client = client_of(sandbox, user_agent_suffix="intent/1")
    client.user("me").get()  # opens the connection that the start then reuses
    sandbox.account.faults.arm("drop_start", count=1)
    with pytest.raises(Exception):  # noqa: B017  any of impit's exceptions will do
        client.actor(ACTOR).start(run_input=one_sweep())
    assert sandbox.state["runs_started"] == 1
    found = client.actor(ACTOR).runs().list().items[0]
    assert "intent/1" in (found.meta.user_agent or "")


def test_an_error_after_the_start_still_made_a_run(api: Api) -> None:
    api.sandbox.account.faults.arm("error_start", 502, count=1)
    assert api.start().status_code == 502
    assert api.sandbox.state["runs_started"] == 1


def test_a_refused_start_made_no_run(api: Api) -> None:
    api.sandbox.account.faults.arm("refuse_start")
    answer = api.start()
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "internal-server-error")
    assert api.sandbox.state["runs_started"] == 0


def test_a_slow_start_has_made_its_run_before_it_answers(api: Api) -> None:
    api.sandbox.account.faults.arm("slow_start", 30, count=1)
    with pytest.raises(requests.Timeout):
        api.session.post(f"{api.sandbox.url}/v2/acts/{ACTOR}/runs", json=one_sweep(), timeout=0.2)
    until(lambda: api.sandbox.state["runs_started"] == 1, "its run, long before the answer", 10)


@pytest.mark.parametrize(
    ("fault", "status", "type", "message"),
    [
        ("no_memory", 402, "actor-memory-limit-exceeded", "memory limit"),
        ("no_slots", 402, "concurrent-runs-limit-exceeded", "concurrent"),
        ("no_money", 402, "not-enough-usage-to-run-paid-actor", "By launching this job you will exceed your remaining usage"),
        ("usage_limit", 403, "platform-feature-disabled", "Monthly usage hard limit exceeded"),
    ],
)
def test_an_account_without_room_or_money_starts_nothing(api: Api, fault: str, status: int, type: str, message: str) -> None:
    api.sandbox.account.faults.arm(fault, count=1)
    answer = api.start()
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, type)
    assert message in answer.json()["error"]["message"]
    assert api.sandbox.state["runs_started"] == 0
    assert api.start().status_code == 201


def test_a_fault_can_be_limited_to_a_path(api: Api) -> None:
    api.sandbox.account.faults.arm("refuse_start", path="/v2/actors/")
    assert api.start().status_code == 201
    assert api.post(f"/v2/actors/{ACTOR}/runs", one_sweep()).status_code == 500


def test_a_run_without_user_agent_can_be_known_by_its_input(api: Api) -> None:
    api.sandbox.account.faults.arm("strip_user_agent")
    run = api.started()
    assert "userAgent" not in api.get("/v2/actor-runs").json()["data"]["items"][0]["meta"]
    assert api.get(f"/v2/key-value-stores/{run['defaultKeyValueStoreId']}/records/INPUT").json() == one_sweep()


def test_a_lagging_list_shows_the_run_later(timed: Api, clock: Clock) -> None:
    api = timed
    api.sandbox.account.faults.arm("lag_list", 10, count=1)
    run = api.started()
    assert api.get("/v2/actor-runs").json()["data"]["items"] == []
    assert api.run(run["id"])["id"] == run["id"]
    clock.advance(10)
    assert [r["id"] for r in api.get("/v2/actor-runs").json()["data"]["items"]] == [run["id"]]


def test_a_lagging_run_is_unknown_at_first(timed: Api, clock: Clock) -> None:
    api = timed
    api.sandbox.account.faults.arm("lag_run", 2)
    run = api.started()
    assert api.get(f"/v2/actor-runs/{run['id']}").json()["error"]["type"] == "record-not-found"
    clock.advance(2)
    assert api.get(f"/v2/actor-runs/{run['id']}").status_code == 200
