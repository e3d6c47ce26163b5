"""Faults of the Graph API: throttling that is no 429, tokens that end, pages that are too large or have one bad creative."""

import json
from typing import Any

import pytest

from competitors.sandbox.server import Sandbox

from .conftest import Api
from .test_graph import ACCOUNT, FIELDS, SHOWN, Graph, graph

__all__ = ["graph"]


def arm(graph: Graph, name: str, value: Any = True, **options: Any) -> None:
    graph.sandbox.account.faults.arm(name, value, **options)


@pytest.mark.parametrize(
    ("fault", "value", "expected"),
    [
        ("graph_throttled", 17, (400, 17, 2446079)),
        ("graph_throttled", 4, (403, 4, 1504022)),
        ("graph_throttled", 80004, (400, 80004, 2446079)),
        ("graph_throttled", 613, (400, 613, 1487742)),
        ("graph_throttled", 32, (403, 32, None)),
        ("graph_token_refused", True, (401, 190, 463)),
        ("graph_token_refused", 459, (401, 190, 459)),
        ("graph_blocked", True, (403, 368, None)),
        ("graph_no_permission", True, (403, 200, None)),
        ("graph_unavailable", True, (503, 2, None)),
    ],
)
def test_a_refusal_comes_once_with_its_code(graph: Graph, fault: str, value: Any, expected: Any) -> None:
    arm(graph, fault, value, count=1)
    assert graph.error(f"/{ACCOUNT}/ads") == expected
    assert graph.get(f"/{ACCOUNT}/ads").status_code == 200


def test_throttling_is_worded_in_another_language_and_says_when_to_come_back(graph: Graph) -> None:
    arm(graph, "graph_throttled", count=1)
    answer = graph.get(f"/{ACCOUNT}/ads")
    assert "limit reached" not in answer.text
    [case] = next(iter(json.loads(answer.headers["X-Business-Use-Case-Usage"]).values()))
    assert (case["call_count"], case["estimated_time_to_regain_access"]) == (100, 5)


def test_usage_headers_come_only_when_asked_for(graph: Graph) -> None:
    assert "X-App-Usage" not in graph.get(f"/{ACCOUNT}").headers
    arm(graph, "graph_usage", 80)
    headers = graph.get(f"/{ACCOUNT}").headers
    assert json.loads(headers["X-App-Usage"])["call_count"] == 80
    assert json.loads(headers["X-Ad-Account-Usage"])["acc_id_util_pct"] == 80


def test_a_page_that_is_too_large_is_refused_until_it_is_smaller(graph: Graph) -> None:
    arm(graph, "graph_too_large", 10)
    assert graph.error(f"/{ACCOUNT}/ads", limit=11) == (500, 1, None)
    ads = graph.json(f"/{ACCOUNT}/ads", limit=10)["data"]
    assert len(ads) == 10
    assert graph.error("/", ids=",".join([ads[0]["id"]] * 11)) == (500, 1, None)


@pytest.mark.parametrize(("fault", "expected"), [("graph_broken_creative", (500, 1, 99)), ("graph_deleted_reel", (400, 100, 33))])
def test_one_bad_creative_fails_every_page_that_has_it(graph: Graph, fault: str, expected: Any) -> None:
    ads = graph.ads()
    place = 12
    wanted = ads[place]
    arm(graph, fault, int(wanted["id"][4:9]))
    query = {"fields": FIELDS, "effective_status": SHOWN}
    assert graph.error(f"/{ACCOUNT}/ads", limit=place + 1, **query) == expected
    assert len(graph.json(f"/{ACCOUNT}/ads", limit=place, **query)["data"]) == place
    assert len(graph.json(f"/{ACCOUNT}/ads", limit=50, fields="id", effective_status=SHOWN)["data"]) == 50
    assert graph.error(f"/{wanted['creative']['id']}", fields="id") == expected


def test_a_video_may_have_no_source_for_a_while(graph: Graph) -> None:
    videos = [ad["creative"]["object_story_spec"]["video_data"]["video_id"] for ad in graph.ads() if is_upload(ad)]
    path = next(f"/{video}" for video in videos if "source" in graph.json(f"/{video}", fields="source"))
    arm(graph, "graph_no_source", count=1)
    assert "source" not in graph.json(path, fields="source")
    assert "source" in graph.json(path, fields="source")


def is_upload(ad: dict[str, Any]) -> bool:
    return "video_data" in ad["creative"].get("object_story_spec", {})


@pytest.mark.parametrize(("fault", "value", "code"), [("server_error", 500, 2), ("rate_limit", 0, 4), ("bad_token", True, 190)])
def test_faults_of_any_request_have_the_form_of_this_api(graph: Graph, fault: str, value: Any, code: int) -> None:
    arm(graph, fault, value, count=1, path="/graph/")
    assert graph.error(f"/{ACCOUNT}")[1] == code


def test_what_is_not_there_has_the_form_of_this_api(graph: Graph) -> None:
    assert graph.error("/a/b/c") == (404, 2500, None)
    assert graph.api.post(f"/graph/v26.0/{ACCOUNT}").json()["error"]["code"]


def test_faults_of_the_graph_leave_apify_alone(sandbox: Sandbox, graph: Graph) -> None:
    arm(graph, "graph_throttled")
    assert Api(sandbox).get("/v2/users/me").status_code == 200
