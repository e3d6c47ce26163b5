"""The calls that control the sandbox."""

from typing import Any

from competitors.sandbox.server import Sandbox

from .conftest import ACTOR, Api, one_sweep


def test_the_state_counts_runs_and_requests(hour_long: Sandbox) -> None:
    api = Api(hour_long)
    run = api.started()
    api.run(run["id"])
    api.run(run["id"])
    state = api.get("/sandbox/state").json()
    assert state["runs_started"] == 1
    assert (state["runs"][0]["id"], state["runs"][0]["actor"]) == (run["id"], ACTOR)
    assert state["requests"] == {"POST /v2/acts/{actor_id}/runs": 1, "GET /v2/actor-runs/{run_id}": 2}


def test_faults_are_armed_shown_and_disarmed_over_http(api: Api) -> None:
    armed = api.post("/sandbox/faults", {"no_money": {"count": 1}, "slow": 0})
    assert armed.json() == {
        "no_money": {"value": True, "count": 1, "path": ""},
        "slow": {"value": 0.0, "count": None, "path": ""},
    }
    assert api.start().status_code == 402
    assert api.post("/sandbox/faults", {"slow": None}).json() == {}
    assert "drop_start" in api.get("/sandbox/faults").json()


def test_mistakes_are_a_400_with_a_message(api: Api) -> None:
    for path, body in [
        ("/sandbox/faults", {"nonsense": 1}),
        ("/sandbox/settings", {"seed": 5}),
        ("/sandbox/settings", {"run_seconds": "fast"}),
        ("/sandbox/advance", {"days": -1}),
        ("/sandbox/faults", ["drop"]),
    ]:
        answer = api.post(path, body)
        assert answer.status_code == 400 and answer.json()["error"]["message"]


def test_a_reset_forgets_everything(api: Api) -> None:
    run = api.started()
    api.post("/sandbox/faults", {"no_money": True})
    api.post("/sandbox/settings", {"run_seconds": 99})
    api.post("/sandbox/advance")
    state = api.post("/sandbox/reset").json()
    assert (state["runs_started"], state["faults"], state["day"], state["requests"]) == (0, {}, 0, {})
    assert state["settings"]["run_seconds"] == 0.05
    assert api.get(f"/v2/actor-runs/{run['id']}").status_code == 404


def test_settings_change_while_it_runs(api: Api) -> None:
    assert api.post("/sandbox/settings", {"price_per_1000_usd": 2}).json()["price_per_1000_usd"] == 2
    run = api.ended(api.started()["id"])
    assert run["pricingInfo"]["pricePerUnitUsd"] == 0.002


def test_finish_ends_the_live_runs_with_all_their_items(hour_long: Sandbox) -> None:
    api = Api(hour_long)
    first, second = api.started(), api.started()
    assert api.post("/sandbox/finish", {"run": first["id"]}).json() == {"finished": [first["id"]]}
    assert api.run(first["id"])["status"] == "SUCCEEDED"
    assert api.run(second["id"])["status"] in ("READY", "RUNNING")
    assert api.post("/sandbox/finish").json() == {"finished": [second["id"]]}
    assert len(api.items(second)) >= 100


def test_a_day_brings_new_reviews_and_one_edit(api: Api) -> None:
    def texts() -> dict[str, Any]:
        items = api.items(api.ended(api.started(one_sweep())["id"]))
        return {item["reviewId"]: item["text"] for item in items if "reviewId" in item}

    before = texts()
    assert texts() == before
    assert api.post("/sandbox/advance", {"days": 2, "new_reviews": 3}).json() == {"day": 2}
    after = texts()
    assert len(after.keys() - before.keys()) == 6
    assert 1 <= sum(before[key] != after[key] for key in before.keys() & after.keys()) <= 2
