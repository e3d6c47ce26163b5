"""A temporary PostgreSQL server: `python -m tests.postgres COMMAND…` runs the command with DATABASE_URL set to it.

PostgreSQL refuses to run as root. For root, the server runs as `postgres` or `nobody`, in a folder of that user.
"""

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.machine import Missing, free_port, postgres_binaries

PR_SET_PDEATHSIG = 1
# Tests kill processes, not the machine: the kernel keeps the writes of a killed server even without fsync. TEST_POSTGRES_FSYNC=on
# is for benchmarks.
OPTIONS = {
    "fsync": os.environ.get("TEST_POSTGRES_FSYNC", "off"),
    "full_page_writes": os.environ.get("TEST_POSTGRES_FSYNC", "off"),
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}


class Server:
    """One cluster in a temporary folder. Tests can stop it and start it again."""

    def __init__(self, also: str = "") -> None:
        """`also`: another address to listen at, for the hosts of its network."""
        self.addresses = ",".join(filter(None, [OPTIONS["listen_addresses"], also]))
        self.binaries = postgres_binaries()
        self.identity = _unprivileged() if os.geteuid() == 0 else {}
        # For root, use /tmp: the server's user may have no access to root's TMPDIR.
        self.folder = Path(tempfile.mkdtemp(prefix="controlplane-pg-", dir="/tmp" if self.identity else None))
        self.password = secrets.token_hex(8)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        (self.folder / "password").write_text(self.password)
        if self.identity:
            for path in (self.folder, self.folder / "password"):
                os.chown(path, self.identity["user"], self.identity["group"])
        subprocess.run(
            [
                self.binaries / "initdb",
                "-D",
                self.folder / "data",
                "-U",
                "postgres",
                "--auth=password",
                f"--pwfile={self.folder}/password",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **self.identity,
        )
        if also:
            with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {also}/24 password\n")

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = [f"--{name}={value}" for name, value in {**OPTIONS, "listen_addresses": self.addresses}.items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.folder / "data", "-k", self.folder, "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                preexec_fn=_end_with_parent,
                start_new_session=True,  # Ctrl-C must stop the tests only: they need the server until they end
                **self.identity,
            )
        for _ in range(300):
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()}")

    def crashes(self) -> list[str]:
        """What its log says of processes of the server that did not end by themselves."""
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return [line for line in lines if "terminated by signal" in line or "PANIC" in line]

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one; SIGKILL kills it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(15)


@contextmanager
def server(also: str = "") -> Iterator[Server]:
    """A started server; its processes and its folder are removed at the end."""
    ours = Server(also)
    try:
        ours.start()
        yield ours
    finally:
        ours.stop()
        shutil.rmtree(ours.folder, ignore_errors=True)


def _unprivileged() -> dict[str, Any]:
    """The user to run as, as arguments of subprocess."""
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise Missing("PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor `nobody`.")


def _end_with_parent() -> None:
    """Stop the server when the test process is killed (on Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def main(command: list[str]) -> int:
    if not command:
        sys.exit("Usage: python -m tests.postgres COMMAND…  (runs it with DATABASE_URL set to a fresh PostgreSQL)")
    try:
        with server() as ours:
            child = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": ours.url})
            signal.signal(signal.SIGINT, lambda *_: None)  # the command got it too: wait for its end
            signal.signal(signal.SIGTERM, lambda *_: child.terminate())
            ended = child.wait()
            for line in ours.crashes() if ended else ():
                sys.stderr.write(f"PostgreSQL: {line}\n")
            return ended if ended >= 0 else 128 - ended  # a shell's code for that signal
    except Missing as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    sys.exit(main([word for n, word in enumerate(sys.argv[1:]) if n or word != "--"]))
