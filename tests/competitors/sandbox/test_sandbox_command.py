"""``manage.py sandbox`` as a process, and its answers to wrong arguments."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command
from django.test import override_settings

ROOT = Path(__file__).resolve().parents[3]


def test_it_says_where_it_listens_and_needs_no_database() -> None:
    environment = os.environ | {"DEBUG": "1", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    command = [sys.executable, "manage.py", "sandbox", "--port", "0", "--run-seconds", "0.1", "--faults", "no_money*1"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"Sandbox listening on (http://127\.0\.0\.1:\d+)\n", line)
            assert found, line
            assert process.stdout.readline() == f"Graph API at {found[1]}/graph, pictures and videos at {found[1]}/cdn\n"
            state = requests.get(f"{found[1]}/sandbox/state", timeout=30).json()
            assert state["faults"] == {"no_money": {"value": True, "count": 1, "path": ""}}
            assert state["settings"]["run_seconds"] == 0.1
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


@override_settings(DEBUG=False)
def test_it_refuses_without_debug_in_one_line() -> None:
    with pytest.raises(CommandError, match=r"^The sandbox is for development.*DEBUG[^\n]*$"):
        call_command("sandbox", "--port", "0")


@override_settings(DEBUG=True)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "loopback"),
        (["--faults", "gremlins"], "Unknown fault 'gremlins'"),
        (["--data", "/no/such/folder"], "does not exist"),
        (["--speed", "0"], "--speed must be a positive number"),
        (["--port", "99999"], "port"),
    ],
)
def test_mistakes_are_one_clear_line(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("sandbox", "--port", "0", *arguments)


@override_settings(DEBUG=True)
def test_a_folder_without_items_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"has no \.jsonl file"):
        call_command("sandbox", "--port", "0", "--data", str(tmp_path))


def test_its_help_lists_every_fault(capsys: Any) -> None:
    from competitors.sandbox.fault_kinds import KINDS

    with pytest.raises(SystemExit):
        call_command("sandbox", "--help")
    printed = capsys.readouterr().out
    assert all(name in printed for name in KINDS)
