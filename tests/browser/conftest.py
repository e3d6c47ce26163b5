"""Real Chromium against the site, a real worker, and the sandbox over HTTP."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page, expect

from competitors.sandbox.server import Sandbox, serve
from tests.factories import make_brand, make_competitor, make_listing, make_person
from tests.processes import Cluster, cluster

# Django refuses the ORM in Playwright's event loop thread; here only the tests use it, and nothing is async.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
expect.set_options(timeout=20_000)  # the default of 5 s leaves only 2 s after a poll of 3 s


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Sandbox]:
    with serve(run_seconds=120, seed=7) as sandbox:  # longer than a test needs to see it and finish it
        settings.APIFY_API_URL = sandbox.url
        yield sandbox


@pytest.fixture
def worker(transactional_db: None, sandbox: Sandbox, tmp_path: Path) -> Iterator[Cluster]:
    upstreams = {
        "APIFY_API_URL": sandbox.url,
        "APIFY_TOKEN": "a-token-for-tests",
        "META_GRAPH_URL": sandbox.graph_url,
        "META_ACCESS_TOKEN": "a-token-for-tests",
        "MEDIA_EXTRA_HOSTS": sandbox.url.removeprefix("http://"),
    }
    with cluster(tmp_path / "worker.log", **upstreams, PIPELINE_POLL_SECONDS="0.3") as one:
        yield one


@pytest.fixture
def listing(transactional_db: None) -> Any:
    return make_listing(make_competitor(make_brand("Northpaw"), "Barkwell"))


@pytest.fixture
def open_page(live_server: Any, chromium: Browser, transactional_db: None) -> Iterator[Callable[..., Page]]:
    """open_page(path, …) opens that page, signed in as a superuser; with role="viewer" as a person of that role."""
    superuser = get_user_model().objects.create_superuser("operator", password="pass")
    contexts = []

    def open_(path: str, *, role: str = "", **options: Any) -> Page:
        from django.test import Client

        client = Client()
        client.force_login(make_person(f"the {role}", role) if role else superuser)
        context = chromium.new_context(base_url=live_server.url, **options)
        context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                    "url": live_server.url,
                }
            ]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
