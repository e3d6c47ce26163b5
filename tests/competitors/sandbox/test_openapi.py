"""The sandbox's answers match Apify's own OpenAPI description."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import requests

from .conftest import ACTOR, Api, one_sweep

pytestmark = pytest.mark.needs_openapi


def assert_described(openapi: dict[str, Any], method: str, template: str, answer: requests.Response) -> None:
    """The description of the path contains this status and media type, and the body fits its schema."""
    responses = openapi["paths"][template][method]["responses"]
    assert str(answer.status_code) in responses, f"{answer.status_code} is not described for {method} {template}"
    content = responses[str(answer.status_code)]["content"]
    media_type = answer.headers["Content-Type"].split(";")[0]
    assert media_type in content
    value = answer.json() if media_type == "application/json" else answer.text
    assert_fits(openapi, content[media_type]["schema"], value)


def assert_fits(openapi: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    whole = {"allOf": [schema], "components": openapi["components"]}
    checker = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
    assert [f"{list(error.absolute_path)}: {error.message}" for error in checker.iter_errors(value)] == []


@pytest.mark.parametrize("query", [{}, {"maxItems": 20, "maxTotalChargeUsd": 0.5, "timeout": 900, "memory": 2048}])
def test_a_start_is_as_described(api: Api, openapi: dict[str, Any], query: dict[str, Any]) -> None:
    answer = api.start(**query)
    assert_described(openapi, "post", "/v2/actors/{actorId}/runs", answer)
    assert answer.headers["Location"].endswith(f"/v2/actors/ZebkvH3nVOrafqr5T/runs/{answer.json()['data']['id']}")


def test_a_run_is_as_described_at_every_age(api: Api, openapi: dict[str, Any]) -> None:
    run = api.started()
    for query in ({}, {"waitForFinish": 60}):
        assert_described(openapi, "get", "/v2/actor-runs/{runId}", api.get(f"/v2/actor-runs/{run['id']}", **query))
    without_token = Api(api.sandbox, token=None).get(f"/v2/actor-runs/{run['id']}")
    assert_described(openapi, "get", "/v2/actor-runs/{runId}", without_token)


def test_run_lists_are_as_described(api: Api, openapi: dict[str, Any]) -> None:
    api.ended(api.started()["id"])
    api.started()
    assert_described(openapi, "get", "/v2/actor-runs", api.get("/v2/actor-runs", desc=1))
    assert_described(openapi, "get", "/v2/actors/{actorId}/runs", api.get(f"/v2/actors/{ACTOR}/runs"))


def test_abort_and_resurrect_are_as_described(api: Api, openapi: dict[str, Any]) -> None:
    run = api.started()
    assert_described(openapi, "post", "/v2/actor-runs/{runId}/abort", api.post(f"/v2/actor-runs/{run['id']}/abort"))
    api.ended(run["id"])
    answer = api.post(f"/v2/actor-runs/{run['id']}/resurrect")
    assert_described(openapi, "post", "/v2/actor-runs/{runId}/resurrect", answer)


def test_dataset_and_items_are_as_described(api: Api, openapi: dict[str, Any]) -> None:
    run = api.ended(api.started()["id"])
    path = f"/v2/datasets/{run['defaultDatasetId']}"
    assert_described(openapi, "get", "/v2/datasets/{datasetId}", api.get(path))
    answer = api.get(f"{path}/items", limit=5)
    template = "/v2/datasets/{datasetId}/items"
    assert_described(openapi, "get", template, answer)
    named = openapi["paths"][template]["get"]["responses"]["200"]["headers"]
    assert set(named) <= set(answer.headers)
    assert answer.headers["X-Apify-Pagination-Desc"] == "false"
    shortcut = api.get(f"/v2/actor-runs/{run['id']}/dataset/items", limit=5)
    assert_described(openapi, "get", "/v2/actor-runs/{runId}/dataset/items", shortcut)


def test_logs_are_as_described(api: Api, openapi: dict[str, Any]) -> None:
    run = api.started()
    assert_described(openapi, "get", "/v2/actor-runs/{runId}/log", api.get(f"/v2/actor-runs/{run['id']}/log"))
    assert_described(openapi, "get", "/v2/logs/{buildOrRunId}", api.get(f"/v2/logs/{run['id']}"))


def test_account_limits_are_as_described(api: Api, openapi: dict[str, Any]) -> None:
    assert_described(openapi, "get", "/v2/users/me/limits", api.get("/v2/users/me/limits"))


@pytest.mark.parametrize(
    ("fault", "status"),
    [("no_memory", 402), ("no_slots", 402), ("no_money", 402), ("usage_limit", 403), ("bad_token", 401), ("rate_limit", 429)],
)
def test_refusals_are_as_described(api: Api, openapi: dict[str, Any], fault: str, status: int) -> None:
    api.sandbox.account.faults.arm(fault)
    answer = api.start()
    assert answer.status_code == status
    assert_described(openapi, "post", "/v2/actors/{actorId}/runs", answer)


def test_mistakes_are_as_described(api: Api, openapi: dict[str, Any]) -> None:
    template = "/v2/actors/{actorId}/runs"
    assert_described(openapi, "post", template, api.start({"input": {}}))
    assert_described(openapi, "post", template, api.start({"input": []}, memory=100))
    assert_described(openapi, "post", template, api.post("/v2/acts/nobody~nothing/runs", one_sweep()))
    assert_described(openapi, "post", template, Api(api.sandbox, token="bad-token").start())
    assert_described(openapi, "post", template, Api(api.sandbox, token=None).start())
    zipped = {"Content-Encoding": "compress", "Content-Type": "application/json"}
    assert_described(openapi, "post", template, api.call("POST", f"/v2/acts/{ACTOR}/runs", data=b"x", headers=zipped))
    assert_described(openapi, "get", "/v2/actor-runs/{runId}", api.get("/v2/actor-runs/nosuchrun12345678"))
    assert_described(openapi, "get", "/v2/datasets/{datasetId}", api.get("/v2/datasets/nosuchdataset1234"))
