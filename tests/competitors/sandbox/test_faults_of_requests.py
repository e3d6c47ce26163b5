"""Faults of any request: how they are armed, and how often they strike."""

import time
from typing import Any

import pytest
import requests

from competitors.sandbox.fault_kinds import KINDS
from competitors.sandbox.faults import FaultBox, parse_flag
from competitors.sandbox.server import Sandbox

from .conftest import Api


def arm(api: Api, name: str, value: Any = True, **options: Any) -> None:
    api.sandbox.account.faults.arm(name, value, **options)


def test_a_rejected_token_is_a_401(api: Api) -> None:
    arm(api, "bad_token")
    answer = api.get("/v2/users/me")
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "user-or-token-not-found")


@pytest.mark.parametrize(("value", "header"), [(0, None), (7, "7")])
def test_a_burst_of_429_ends_after_its_count(api: Api, value: int, header: str | None) -> None:
    arm(api, "rate_limit", value, count=3)
    answers = [api.get("/v2/users/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 429, 200]
    assert answers[0].headers.get("Retry-After") == header


def test_a_dropped_request_did_nothing(api: Api) -> None:
    arm(api, "drop", count=1)
    with pytest.raises(requests.ConnectionError):
        api.start()
    assert api.sandbox.state["runs_started"] == 0


def test_a_request_with_a_dropped_answer_was_handled(hour_long: Sandbox) -> None:
    api = Api(hour_long)
    run = api.started()
    arm(api, "drop_answer", count=1, path="/abort")
    with pytest.raises(requests.ConnectionError):
        api.post(f"/v2/actor-runs/{run['id']}/abort")
    assert api.ended(run["id"])["status"] == "ABORTED"


def test_server_errors_and_proxy_pages(api: Api) -> None:
    arm(api, "server_error", 503, count=1)
    assert api.get("/v2/users/me").status_code == 503
    arm(api, "html_error", count=1)
    page = api.get("/v2/users/me")
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html")
    arm(api, "broken_json", count=1)
    with pytest.raises(requests.JSONDecodeError):
        api.get("/v2/users/me").json()


def test_a_slow_answer_comes_in_the_end(api: Api) -> None:
    arm(api, "slow", 0.2, count=1)
    began = time.monotonic()
    assert api.get("/v2/users/me").status_code == 200
    assert time.monotonic() - began >= 0.19


def outcomes(sandbox: Any) -> list[int]:
    """The statuses of 60 requests; 0 means that the connection was cut."""
    api, found = Api(sandbox), []
    for _ in range(60):
        try:
            found.append(api.get("/v2/users/me").status_code)
        except requests.ConnectionError:
            found.append(0)
    return found


def test_percentage_faults_repeat_with_the_same_seed(start_sandbox: Any) -> None:
    faults = {"drop_percent": 20, "error_percent": 30}
    first, again, other = (outcomes(start_sandbox(seed=seed, faults=faults)) for seed in (3, 3, 4))
    assert first == again != other
    assert set(first) == {0, 200, 500, 502, 503}
    assert 3 <= first.count(0) <= 25


def test_some_failed_requests_were_handled(start_sandbox: Any) -> None:
    sandbox = start_sandbox(faults={"drop_percent": 100}, concurrent_runs_limit=100)
    api = Api(sandbox)
    for _ in range(20):
        with pytest.raises(requests.ConnectionError):
            api.start()
    assert 3 <= sandbox.state["runs_started"] <= 17


def test_control_calls_are_never_struck(api: Api) -> None:
    arm(api, "drop")
    assert Api(api.sandbox, token=None).get("/sandbox/state").status_code == 200


def test_the_flag_says_name_value_count_skip_and_path() -> None:
    assert parse_flag("drop_start*1, slow=0.2@/datasets/,end_as=FAILED:0.3*2,drop*1+4@/graph/") == {
        "drop_start": {"path": "", "count": 1},
        "slow": {"path": "/datasets/", "value": "0.2"},
        "end_as": {"path": "", "value": "FAILED:0.3", "count": 2},
        "drop": {"path": "/graph/", "count": 1, "skip": 4},
    }


@pytest.mark.parametrize(
    "faults",
    [
        {"no_such_fault": True},
        {"slow": "long"},
        {"slow": -1},
        {"end_as": "FINISHED"},
        {"no_items": "3"},
        {"drop": {"count": -1}},
        {"drop": {"skip": -1}},
        {"graph_insights_too_large": "weeks:2"},
        {"graph_field_fails": "reach"},
        {"drop": {"times": 1}},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_and_nothing_is_armed(faults: dict[str, Any]) -> None:
    box = FaultBox()
    with pytest.raises(ValueError):
        box.arm_all({"no_money": True} | faults)
    assert box.shown() == {}


def test_every_fault_has_a_meaning_and_can_be_armed_and_disarmed() -> None:
    box = FaultBox()
    box.arm_all(dict.fromkeys(KINDS, True))
    assert set(box.shown()) == set(KINDS)
    assert all(kind.meaning for kind in KINDS.values())
    box.arm_all(dict.fromkeys(KINDS))
    assert box.shown() == {}
