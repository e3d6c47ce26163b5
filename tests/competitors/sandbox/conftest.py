"""One sandbox per test, in a thread, with short runs; the official client and bare HTTP to call it."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from apify_client import ApifyClient

from competitors.sandbox.server import Sandbox, serve

ACTOR = "axesso_data~amazon-reviews-scraper"
TOKEN = "sandbox-token"
ASIN = "B0SANDBOX1"


@pytest.fixture
def start_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes with the test's own settings and closes them when the test ends."""
    running: list[Sandbox] = []

    def start(**settings: Any) -> Sandbox:
        sandbox = serve(**({"run_seconds": 0.05} | settings))
        running.append(sandbox)
        return sandbox

    yield start
    for sandbox in running:
        sandbox.close()


@pytest.fixture
def sandbox(start_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return start_sandbox()


class Clock:
    """The sandbox's clock, moved by the test."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(start_sandbox: Callable[..., Sandbox], clock: Clock) -> "Api":
    """Bare HTTP to a sandbox that uses ``clock``. Its runs take 100 seconds; an abort takes one."""
    return Api(start_sandbox(run_seconds=100, abort_seconds=1, clock=clock))


@pytest.fixture
def hour_long(start_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox whose runs take an hour, so that only the test ends them."""
    return start_sandbox(run_seconds=3600, abort_seconds=0.2)


class Api:
    """Bare HTTP, so that a test sees status, headers and body unchanged."""

    def __init__(self, sandbox: Sandbox, token: str | None = TOKEN):
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.sandbox.url + path, timeout=10, **options)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.call("GET", path, params=query)

    def post(self, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self.call("POST", path, params=query, json=body)

    def start(self, body: Any = None, **query: Any) -> requests.Response:
        return self.post(f"/v2/acts/{ACTOR}/runs", one_sweep() if body is None else body, **query)

    def started(self, body: Any = None, **query: Any) -> dict[str, Any]:
        answer = self.start(body, **query)
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["data"])

    def run(self, run_id: str, **query: Any) -> dict[str, Any]:
        return dict(self.get(f"/v2/actor-runs/{run_id}", **query).json()["data"])

    def ended(self, run_id: str) -> dict[str, Any]:
        return self.run(run_id, waitForFinish=60)

    def items(self, run: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        return list(self.get(f"/v2/datasets/{run['defaultDatasetId']}/items", **query).json())


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    return Api(sandbox)


@pytest.fixture
def client(sandbox: Sandbox) -> ApifyClient:
    return client_of(sandbox)


def client_of(sandbox: Sandbox, **options: Any) -> ApifyClient:
    return ApifyClient(TOKEN, api_url=sandbox.url, max_retries=0, **options)


def one_sweep(asin: str = ASIN, **options: Any) -> dict[str, Any]:
    return {"input": [sweep(asin, **options)]}


def sweep(asin: str = ASIN, **options: Any) -> dict[str, Any]:
    return {"asin": asin, "domainCode": "com", "sortBy": "recent", "maxPages": 10} | options


def star_sweeps(asin: str = ASIN) -> dict[str, Any]:
    """All stars together, then each star alone: recent reviews appear twice."""
    stars = ["five_star", "four_star", "three_star", "two_star", "one_star"]
    return {"input": [sweep(asin), *(sweep(asin, filterByStar=star) for star in stars)]}


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    return dict(json.loads(Path(os.environ["APIFY_OPENAPI"]).read_text()))
