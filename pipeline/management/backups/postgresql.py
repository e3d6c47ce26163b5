"""Dumps and restores a PostgreSQL database with PostgreSQL's own programs."""

import os
import subprocess
from pathlib import Path

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

from . import BackupFailed

BEGINS = b"PGDMP"


def save(file: Path) -> None:
    """pg_dump reads everything as it was at one moment, while others read and write."""
    where, database, environment = _server()
    _run(["pg_dump", *where, "--format=custom", "--lock-wait-timeout=60s", f"--file={file}", database], environment)


def load(file: Path) -> None:
    """All or nothing. The tables belong to whoever restores them."""
    where, database, environment = _server()
    connection.close()
    whole = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run(["pg_restore", *where, *whole, f"--dbname={database}", str(file)], environment)


def _server() -> tuple[list[str], str, dict[str, str]]:
    """What Django gives to psql: options, the database's name, and variables with the password, which `ps` does not show."""
    arguments, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    return arguments[1:-1], arguments[-1], environment or {}


def _run(command: list[str], environment: dict[str, str]) -> None:
    try:
        ended = subprocess.run(  # noqa: S603  PostgreSQL's own program, with the settings' arguments
            command, env={**os.environ, **environment}, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        raise BackupFailed(f"{command[0]} is not installed. Install PostgreSQL's client programs (postgresql-client).") from None
    if ended.returncode:
        said = ended.stderr.strip() or f"it ended with code {ended.returncode}"
        raise BackupFailed(f"{command[0]} failed: {said}")
