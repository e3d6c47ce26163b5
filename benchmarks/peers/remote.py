"""A compared system whose packages are not in our environment: another Python runs it, from a file of this folder.

That file imports only marks.notes and serve of ours. Its `client` reads a JSON list per line, a command and its values, does that
and answers with a line. Its `worker` works.
"""

import json
import os
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

from django.db import connection

from benchmarks.scratch import ROOT
from benchmarks.system import System


class Remote(System):
    module: str  # in this folder
    python_variable: str  # an environment variable
    on_sqlite = False

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.settings = ""
        self.python = os.environ[self.python_variable]
        self.program = [self.python, "-m", f"benchmarks.peers.{self.module}"]
        os.environ["BENCH_PEER_DATABASE"] = os.environ["DATABASE_URL"]
        if connection.vendor == "sqlite":
            os.environ["BENCH_PEER_DATABASE"] = str(folder / "peer.sqlite3")
        self.version = self.ask("version")

    @classmethod
    def is_here(cls) -> bool:
        return bool(os.environ.get(cls.python_variable))

    @cached_property
    def client(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.program, "client"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("ab"),
            text=True,
            env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        )

    def ask(self, command: str, *values: Any) -> Any:
        assert self.client.stdin
        assert self.client.stdout
        print(json.dumps([command, *values]), file=self.client.stdin, flush=True)
        answer = self.client.stdout.readline()
        if not answer:
            raise AssertionError(f"{self.label} ended instead of answering to {command}.")
        return json.loads(answer)

    def close(self) -> None:
        assert self.client.stdin
        self.client.stdin.close()
        self.client.wait(30)

    def put(self, name: str) -> None:
        self.ask("put", name)

    def put_timed(self, name: str) -> tuple[int, int]:
        began, committed = self.ask("put", name)
        return began, committed

    def put_many(self, names: list[str]) -> None:
        self.ask("put_many", names)

    def doze(self, name: str, works: float) -> None:
        self.ask("doze", name, works)

    def empty(self) -> None:
        self.ask("empty")

    def worker_pids(self, roots: list[int]) -> list[int]:
        return roots


class Dbos(Remote):
    label = "DBOS"
    module = "dbos_program"
    python_variable = "BENCH_DBOS_PYTHON"
    setup = "a queue with its defaults (looks once a second), two processes"
    commands = [["worker"], ["worker"]]
    bulk = False


class Ox(Remote):
    label = "django-ox"
    module = "ox_program"
    python_variable = "BENCH_OX_PYTHON"
    on_sqlite = True
    setup = "its defaults (looks once a second), two `ox_worker`, persistent connections"
    commands = [["worker"], ["worker"]]


PEERS: list[type[Remote]] = [Dbos, Ox]
