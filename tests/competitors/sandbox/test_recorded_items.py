"""Real items from files are served complete and unchanged."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, sweep

ITEMS: list[dict[str, Any]] = [
    {"asin": "B0REAL0001", "reviewId": f"R{number}", "rating": f"{number % 5 + 1}.0 out of 5 stars", "text": f"text {number}"}
    for number in range(150)
] + [
    {"asin": "B0REAL0002", "reviewId": "RX", "rating": "5,0 von 5 Sternen", "text": "great \u0000 \ud83d 🎉", "n": 1.50},
    {"asin": "B0REAL0002", "text": "no id"},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lines = "".join(json.dumps(item) + "\n" for item in ITEMS)
    (tmp_path / "amazon_reviews.jsonl").write_text(lines)
    (tmp_path / "amazon_reviews_more.jsonl").write_text('{"asin": "B0REAL0003", "reviewId": "R900"}\n')
    (tmp_path / "reddit_posts.jsonl").write_text('{"kind": "post"}\n')
    return tmp_path


def fetched(sandbox: Any, *queries: dict[str, Any]) -> list[dict[str, Any]]:
    api = Api(sandbox)
    return api.items(api.ended(api.started({"input": list(queries)})["id"]))


def test_the_items_of_an_asin_come_whole_and_unchanged(start_sandbox: Any, data: Path) -> None:
    sandbox = start_sandbox(data=data)
    assert fetched(sandbox, sweep("B0REAL0001", maxPages=1)) == ITEMS[:150]
    assert fetched(sandbox, sweep("B0REAL0002")) == ITEMS[150:]


def test_filters_choose_among_them(start_sandbox: Any, data: Path) -> None:
    sandbox = start_sandbox(data=data)
    five = fetched(sandbox, sweep("B0REAL0001", filterByStar="five_star"))
    assert five == [item for item in ITEMS[:150] if item["rating"].startswith("5")]
    assert fetched(sandbox, sweep("B0REAL0002", filterByKeyword="great")) == [ITEMS[150]]
    assert fetched(sandbox, sweep("B0REAL0002", filterByStar="one_star"))[0]["statusCode"] == 404


def test_special_asins_ask_for_everything(start_sandbox: Any, data: Path) -> None:
    sandbox = start_sandbox(data=data)
    assert len(fetched(sandbox, sweep("ALL0000000"))) == 153
    assert fetched(sandbox, sweep("ALL0000001")) == ITEMS
    assert [item["reviewId"] for item in fetched(sandbox, sweep("ALL0000002"))] == ["R900"]


def test_one_file_may_be_named_instead_of_a_folder(start_sandbox: Any, data: Path) -> None:
    assert fetched(start_sandbox(data=data / "amazon_reviews_more.jsonl"), sweep("ALL0000000"))[0]["reviewId"] == "R900"


def test_other_asins_get_made_up_reviews(start_sandbox: Any, data: Path) -> None:
    assert fetched(start_sandbox(data=data), sweep("B0OTHER001"))[0]["asin"] == "B0OTHER001"
