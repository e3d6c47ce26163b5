"""Chooses the database, the browser and the real data, and reports which tests are left out."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections

from pipeline import api
from tests import machine

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A shell's background processes ignore Ctrl-C, and so do their children; some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
HERE = Path(__file__).parent
MARKED_BY_FOLDER = {"browser": HERE / "browser", "faults": HERE / "faults"}
OF_JOB_TYPES, ON_BOTH = HERE / "competitors", HERE / "competitors" / "models"
OF_PAGES = {HERE / "controlplane", HERE / "pipeline" / "admin", HERE / "pipeline" / "views"}
NEEDS = {  # marker -> variable, and what it points to
    "needs_samples": ("SAMPLES_DIR", "the folder with real items"),
    "needs_openapi": ("APIFY_OPENAPI", "the file openapi.reduced.json"),
}
LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_report_header() -> str:
    if connection.vendor == "sqlite":
        from sqlite3 import sqlite_version

        return f"database: SQLite {sqlite_version}, a file per process"
    there = settings.DATABASES["default"]
    return f"database: PostgreSQL at {there['HOST']}:{there['PORT']}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker, folder in MARKED_BY_FOLDER.items():
            if folder in item.path.parents:
                item.add_marker(marker)
        if one_database_is_enough(item):
            item.add_marker("one_database")
    left_out = config.stash[LEFT_OUT] = {}
    elsewhere = {item for item in items if database_of(item) not in ("", connection.vendor)}
    if elsewhere:
        left_out["only_on"] = len(elsewhere)
        items[:] = [item for item in items if item not in elsewhere]
        config.hook.pytest_deselected(items=[*elsewhere])
    if "exhaustive" not in config.option.markexpr:
        every_case = [item for item in items if item.get_closest_marker("exhaustive")]
        items[:] = [item for item in items if item not in every_case]
        config.hook.pytest_deselected(items=every_case)
    for marker, (variable, _) in NEEDS.items():
        if os.environ.get(variable):
            continue
        without = [item for item in items if item.get_closest_marker(marker)]
        if without:
            left_out[marker] = len(without)
            items[:] = [item for item in items if item not in without]
            config.hook.pytest_deselected(items=without)
    if hasattr(config, "workeroutput"):  # xdist collects in its workers; only the main process prints a summary
        config.workeroutput["left_out"] = left_out


def one_database_is_enough(item: pytest.Item) -> bool:
    """Whether it would run on both, and tests a job type or a page rather than the engine below them."""
    folders = {item.path.parent, *item.path.parents}
    of_job_type = OF_JOB_TYPES in item.path.parent.parents and ON_BOTH not in folders
    return (of_job_type or not OF_PAGES.isdisjoint(folders)) and not database_of(item)


def database_of(item: pytest.Item) -> str:
    """The only one that the test runs on, or ''. Without any a test runs with SQLite, in a browser with PostgreSQL."""
    if mark := item.get_closest_marker("only_on"):
        return str(mark.args[0])
    uses_one = item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return "" if uses_one or item.get_closest_marker("browser") else "sqlite"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Runs after -m and -k: without browser tests, no browser is needed."""
    gc.collect()
    gc.freeze()  # what is loaded now stays: collections need not scan it, test after test
    if any(item.get_closest_marker("browser") for item in session.items) and not hasattr(session.config, "workerinput"):
        try:
            machine.chromium()
        except machine.Missing as missing:
            pytest.exit(str(missing), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for marker, count in config.stash.get(LEFT_OUT, {}).items():
        if marker == "only_on":
            terminalreporter.write_line(
                f"{count} tests were DESELECTED: they use no database or run on the other one only.", yellow=True
            )
            continue
        variable, names = NEEDS[marker]
        terminalreporter.write_line(
            f"{count} tests marked {marker} were DESELECTED: {variable} is not set ({names}).", yellow=True
        )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Use a SQLite file, as in production: an in-memory database has no races and no child processes can open it."""
    if connection.vendor == "sqlite":
        settings.DATABASES["default"]["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "tests.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """At the end, Chromium may still be asking for a page: what answers it must not keep the database from being dropped."""
    yield

    if connection.vendor == "postgresql":
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) {others}")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real items; tests that use it are marked needs_samples."""
    return Path(os.environ["SAMPLES_DIR"])


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """The machine's Chromium, driven by Playwright. Tests open their own contexts and pages."""
    from playwright.sync_api import sync_playwright

    try:
        path = machine.chromium()
    except machine.Missing as missing:  # an xdist worker cannot end the session
        pytest.fail(str(missing), pytrace=False)
    # Playwright keeps an event loop in this thread, where Django refuses the ORM; our tests are not async.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # Beside that loop Django opens other connections. A fork has no loop and would end one that is open here.
    connections.close_all()
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", *quiet])
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _nothing_goes_on_here() -> Iterator[None]:
    """Stop a test's legacy and direct runs when it ends: their threads use its database. No number outlives its rows."""
    yield

    api.hand_back_all()
    cache.clear()
