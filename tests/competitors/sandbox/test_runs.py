"""Runs over bare HTTP: start, status, lists, abort."""

import gzip
import json
import threading
import time
from typing import Any

import pytest

from competitors.sandbox.server import Sandbox

from .conftest import ACTOR, Api, Clock, one_sweep, star_sweeps


@pytest.mark.parametrize("prefix", ["/v2/acts", "/v2/actors"])
@pytest.mark.parametrize("actor", [ACTOR, "ZebkvH3nVOrafqr5T"])
def test_both_prefixes_and_both_ids_start_a_run(api: Api, prefix: str, actor: str) -> None:
    answer = api.post(f"{prefix}/{actor}/runs", one_sweep())
    assert answer.status_code == 201
    assert api.get(f"{prefix}/{actor}/runs").json()["data"]["items"][0]["id"] == answer.json()["data"]["id"]


def test_the_location_of_a_start_leads_to_the_run(api: Api) -> None:
    answer = api.start()
    path = answer.headers["Location"].removeprefix(api.sandbox.url)
    assert api.get(path).json()["data"]["id"] == answer.json()["data"]["id"]


def test_a_run_goes_from_ready_over_running_to_succeeded(timed: Api, clock: Clock) -> None:
    run = timed.started()
    assert (run["status"], run["finishedAt"]) == ("READY", None)
    clock.advance(1)
    assert timed.run(run["id"])["status"] == "RUNNING"
    clock.advance(99)
    ended = timed.run(run["id"])
    assert ended["status"] == "SUCCEEDED" and ended["finishedAt"] > ended["startedAt"]


def test_a_running_run_says_how_far_it_is(timed: Api, clock: Clock) -> None:
    run = timed.started(star_sweeps())
    clock.advance(30)
    message = timed.run(run["id"])["statusMessage"]
    assert message == f"Search 2 of 6, {len(timed.items(run))} reviews so far"


def test_waiting_for_the_end_holds_the_answer_until_then(start_sandbox: Any) -> None:
    api = Api(start_sandbox(run_seconds=0.2))
    began = time.monotonic()
    run = api.started(waitForFinish=60)
    assert run["status"] == "SUCCEEDED"
    assert time.monotonic() - began >= 0.19


def test_waiting_is_capped_and_not_refused(start_sandbox: Any) -> None:
    api = Api(start_sandbox(run_seconds=3600, max_wait_seconds=0.2))
    run = api.started()
    began = time.monotonic()
    assert api.run(run["id"], waitForFinish=999_999)["status"] in ("READY", "RUNNING")
    assert 0.19 <= time.monotonic() - began < 10


def test_an_abort_wakes_waiting_calls(hour_long: Sandbox) -> None:
    api = Api(hour_long)
    run = api.started()
    found: list[str] = []
    waiter = threading.Thread(target=lambda: found.append(Api(hour_long).ended(run["id"])["status"]))
    waiter.start()
    hour_long.account.config.change({"abort_seconds": 0})
    api.post(f"/v2/actor-runs/{run['id']}/abort")
    waiter.join(30)
    assert found == ["ABORTED"]


def test_a_run_past_its_timeout_keeps_what_it_had(timed: Api, clock: Clock) -> None:
    run = timed.started(star_sweeps(), timeout=40)
    clock.advance(40)
    assert timed.run(run["id"])["status"] == "TIMING-OUT"
    clock.advance(2)
    assert timed.run(run["id"])["status"] == "TIMED-OUT"
    assert 0 < len(timed.items(run)) < 400


def test_an_aborted_run_keeps_its_items(timed: Api, clock: Clock) -> None:
    run = timed.started(star_sweeps())
    clock.advance(40)
    had = timed.items(run)
    assert timed.post(f"/v2/actor-runs/{run['id']}/abort").json()["data"]["status"] == "ABORTING"
    clock.advance(1)
    assert timed.run(run["id"])["status"] == "ABORTED"
    assert had and timed.items(run) == had


def test_lists_page_and_sort_and_filter(hour_long: Sandbox) -> None:
    api = Api(hour_long)
    ids = [api.started()["id"] for _ in range(5)]
    hour_long.account.finish(ids[0])

    def listed(**query: Any) -> list[str]:
        return [run["id"] for run in api.get("/v2/actor-runs", **query).json()["data"]["items"]]

    assert listed() == ids
    assert listed(desc=1, limit=2) == [ids[4], ids[3]]
    assert listed(offset=1, limit=2) == ids[1:3]
    assert listed(status="SUCCEEDED,FAILED") == ids[:1]
    assert listed(status="FAILED") == []
    page = api.get("/v2/actor-runs", offset=4, limit=2000).json()["data"]
    assert (page["total"], page["count"], page["offset"], page["limit"], page["desc"]) == (5, 1, 4, 1000, False)


def test_the_time_bounds_of_a_list_are_inclusive(api: Api) -> None:
    started = api.started()["startedAt"]
    listed = api.get("/v2/actor-runs", startedAfter=started, startedBefore=started).json()["data"]
    assert listed["total"] == 1


def test_the_runs_of_other_actors_are_not_listed(api: Api) -> None:
    assert api.get("/v2/acts/nobody~nothing/runs").json()["error"]["type"] == "actor-not-found"


def test_only_a_finished_run_can_be_resurrected(hour_long: Sandbox) -> None:
    api = Api(hour_long)
    run = api.started()
    assert api.post(f"/v2/actor-runs/{run['id']}/resurrect").status_code == 400
    hour_long.account.finish()
    again = api.post(f"/v2/actor-runs/{run['id']}/resurrect").json()["data"]
    assert again["status"] in ("READY", "RUNNING") and again["stats"]["resurrectCount"] == 1


def test_a_gzipped_body_is_read(api: Api) -> None:
    body = gzip.compress(json.dumps(one_sweep()).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = api.call("POST", f"/v2/acts/{ACTOR}/runs", data=body, headers=headers)
    assert answer.status_code == 201
    record = api.get(f"/v2/key-value-stores/{answer.json()['data']['defaultKeyValueStoreId']}/records/INPUT")
    assert record.content == json.dumps(one_sweep()).encode()


@pytest.mark.parametrize(
    ("body", "query", "status", "type"),
    [
        ({}, {}, 400, "invalid-input"),
        ({"asin": "B0SANDBOX1"}, {}, 400, "invalid-input"),
        ({"input": {"asin": "B0SANDBOX1"}}, {}, 400, "invalid-input"),
        (one_sweep("short"), {}, 400, "invalid-input"),
        (one_sweep(domainCode="xx"), {}, 400, "invalid-input"),
        (one_sweep(maxPages=11), {}, 400, "invalid-input"),
        (one_sweep(filterByStar="six_star"), {}, 400, "invalid-input"),
        ([], {}, 400, "input-json-not-object"),
        (one_sweep(), {"memory": 1000}, 400, "invalid-value"),
        (one_sweep(), {"waitForFinish": "soon"}, 400, "invalid-value"),
        (one_sweep(), {"maxItems": 0}, 400, "max-items-must-be-greater-than-zero"),
        (one_sweep(), {"maxTotalChargeUsd": 0}, 400, "max-total-charge-usd-below-minimum"),
        (one_sweep(), {"build": "nightly"}, 400, "unknown-build-tag"),
    ],
)
def test_a_start_with_a_mistake_makes_no_run(api: Api, body: Any, query: dict[str, Any], status: int, type: str) -> None:
    answer = api.start(body, **query)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, type)
    assert api.sandbox.state["runs_started"] == 0


def test_broken_json_and_too_large_bodies_make_no_run(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    path = f"/v2/acts/{ACTOR}/runs"
    broken = api.call("POST", path, data=b"{", headers=headers)
    assert (broken.status_code, broken.json()["error"]["type"]) == (400, "run-input-body-not-valid-json")
    large = gzip.compress(b" " * 9_437_185)
    too_large = api.call("POST", path, data=large, headers=headers | {"Content-Encoding": "gzip"})
    assert (too_large.status_code, too_large.json()["error"]["type"]) == (413, "request-too-large")
    assert api.sandbox.state["runs_started"] == 0


def test_a_token_is_asked_for_and_can_be_pinned(start_sandbox: Any) -> None:
    sandbox = start_sandbox(token="the-one")
    assert Api(sandbox, token=None).start().json()["error"]["type"] == "token-not-provided"
    assert Api(sandbox, token="another").start().json()["error"]["type"] == "user-or-token-not-found"
    assert Api(sandbox, token=None).start(token="the-one").status_code == 201


def test_a_run_can_be_read_without_a_token_but_not_its_cost(api: Api) -> None:
    run = api.started()
    assert "usageTotalUsd" not in Api(api.sandbox, token=None).run(run["id"])
    assert "usageTotalUsd" in api.run(run["id"])


def test_unknown_paths_and_methods_say_so(api: Api) -> None:
    assert api.get("/v2/nothing").json()["error"]["type"] == "page-not-found"
    assert api.call("DELETE", "/v2/users/me").json()["error"]["type"] == "method-not-allowed"
    run = api.started()
    assert api.get(f"/v2/actor-runs/{run['id']}/abort", method="POST").json()["data"]["status"].startswith("ABORT")
