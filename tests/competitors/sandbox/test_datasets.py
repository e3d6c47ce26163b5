"""Items over bare HTTP: paging, headers, filtered fields."""

from typing import Any

import pytest

from .conftest import Api


@pytest.fixture
def run(api: Api) -> dict[str, Any]:
    return api.ended(api.started()["id"])


def headers(answer: Any) -> dict[str, str]:
    prefix = "X-Apify-Pagination-"
    return {name.removeprefix(prefix): value for name, value in answer.headers.items() if name.startswith(prefix)}


def test_items_are_a_bare_array_with_five_headers(api: Api, run: dict[str, Any]) -> None:
    answer = api.get(f"/v2/datasets/{run['defaultDatasetId']}/items")
    count = str(len(answer.json()))
    assert headers(answer) == {"Total": count, "Offset": "0", "Count": count, "Limit": "999999999999", "Desc": "false"}


def test_pages_join_to_the_whole(api: Api, run: dict[str, Any]) -> None:
    whole = api.items(run)
    pages = [api.items(run, offset=offset, limit=30) for offset in range(0, len(whole), 30)]
    assert [item for page in pages for item in page] == whole
    assert api.items(run, desc=1) == whole[::-1]
    beyond = api.get(f"/v2/datasets/{run['defaultDatasetId']}/items", offset=10_000, limit=10)
    assert beyond.json() == [] and headers(beyond)["Count"] == "0"


def test_fields_come_in_the_order_asked_for(api: Api, run: dict[str, Any]) -> None:
    item = api.items(run, fields="rating,asin", limit=1)[0]
    assert list(item) == ["rating", "asin"]
    assert "text" not in api.items(run, omit="text,title", limit=1)[0]


def test_the_count_is_of_rows_before_empty_ones_are_left_out(api: Api, run: dict[str, Any]) -> None:
    answer = api.get(f"/v2/datasets/{run['defaultDatasetId']}/items", limit=7, fields="noSuchField", clean="true")
    assert answer.json() == [] and headers(answer)["Count"] == "7"


def test_hidden_fields_are_left_out_when_asked(start_sandbox: Any, tmp_path: Any) -> None:
    (tmp_path / "amazon_reviews.jsonl").write_text('{"asin": "B0HIDDEN01", "reviewId": "R1", "#debug": 1}\n{}\n')
    api = Api(start_sandbox(data=tmp_path))
    run = api.ended(api.started({"input": [{"asin": "ALL0000000", "domainCode": "com"}]})["id"])
    assert api.items(run)[0]["#debug"] == 1
    assert api.items(run, clean=1) == [{"asin": "B0HIDDEN01", "reviewId": "R1"}]


def test_the_run_leads_to_its_items(api: Api, run: dict[str, Any]) -> None:
    assert api.get(f"/v2/actor-runs/{run['id']}/dataset/items").json() == api.items(run)


def test_items_can_be_json_lines(api: Api, run: dict[str, Any]) -> None:
    answer = api.get(f"/v2/datasets/{run['defaultDatasetId']}/items", format="jsonl", limit=3)
    assert len(answer.text.splitlines()) == 3


@pytest.mark.parametrize("query", [{"format": "xlsx"}, {"unwind": "filters"}, {"limit": "many"}, {"offset": -1}])
def test_unsupported_and_wrong_parameters_are_refused(api: Api, run: dict[str, Any], query: dict[str, Any]) -> None:
    assert api.get(f"/v2/datasets/{run['defaultDatasetId']}/items", **query).status_code == 400


def test_the_dataset_says_how_many_items_it_has(api: Api, run: dict[str, Any]) -> None:
    found = api.get(f"/v2/datasets/{run['defaultDatasetId']}").json()["data"]
    assert (found["itemCount"], found["actRunId"]) == (len(api.items(run)), run["id"])


def test_a_head_request_has_headers_and_no_body(api: Api, run: dict[str, Any]) -> None:
    answer = api.call("HEAD", f"/v2/datasets/{run['defaultDatasetId']}/items")
    assert answer.content == b"" and int(answer.headers["X-Apify-Pagination-Total"]) > 0
