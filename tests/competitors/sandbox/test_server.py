"""Where the sandbox listens, and how it stops."""

import ast
import threading
from pathlib import Path
from typing import Any

import pytest

import competitors.sandbox
from competitors.sandbox.server import loopback, serve

from .conftest import Api


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com", ""])
def test_it_refuses_to_listen_where_others_could_reach_it(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        serve(host=host)


def test_it_listens_on_loopback_addresses() -> None:
    assert [loopback(host) for host in ("localhost", "127.0.0.1", "127.0.0.2", "::1")] == [
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.2",
        "::1",
    ]


def test_closing_ends_waiting_calls(start_sandbox: Any) -> None:
    sandbox = serve(run_seconds=3600)
    run = Api(sandbox).started()
    answers: list[Any] = []

    def wait() -> None:
        try:
            answers.append(Api(sandbox).ended(run["id"]))
        except Exception as error:  # noqa: BLE001  it may or may not get an answer, but it must end
            answers.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    sandbox.close()
    waiter.join(30)
    assert not waiter.is_alive() and len(answers) == 1


def test_it_imports_neither_django_nor_the_product() -> None:
    """So it starts fast, needs no database and cannot share a bug with the code that it tests."""
    package = Path(competitors.sandbox.__file__).parent
    imported = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add((node.module or "").split(".")[0])
    assert not imported & {"django", "competitors", "pipeline", "controlplane", "apify_client"}
