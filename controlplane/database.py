"""The database that DATABASE_URL names, with what each kind of it needs. docs/reference/settings.md explains the variables."""

import contextlib
import warnings
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from controlplane import environment


def configured(default_url: str, lease_seconds: float, statement_seconds: float) -> dict[str, Any]:
    """Django's settings of it. `statement_seconds` limits a query of the web process."""
    database = _named(default_url)
    pooled = False
    if database["ENGINE"].endswith("sqlite3"):
        database["ENGINE"] = "controlplane.sqlite3"
        options: dict[str, Any] = {
            "transaction_mode": "IMMEDIATE",  # otherwise a read that becomes a write fails instead of waiting
            "timeout": environment.number("PIPELINE_SQLITE_TIMEOUT", 20.0, at_least=0),  # seconds that one writer waits
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        pooled = environment.flag("PIPELINE_DATABASE_POOL")  # web process only: pool threads do not survive a worker's fork
        options = _of_postgresql(pooled, lease_seconds, statement_seconds)
    # Without a pool, connections stay open. A pooled one is tried before use: the server may have restarted meanwhile.
    database["CONN_MAX_AGE"] = 0 if pooled else None
    database["CONN_HEALTH_CHECKS"] = True
    # What DATABASE_URL says itself, such as ?sslmode=require, comes on top of ours.
    asked = database.get("OPTIONS", {})
    database["OPTIONS"] = options | asked
    if "options" in options:
        database["OPTIONS"]["options"] = f"{options['options']} {asked.get('options', '')}".strip()
    return database


def _named(default_url: str) -> dict[str, Any]:
    database: dict[str, Any] = {}
    with warnings.catch_warnings(), contextlib.suppress(ValueError, ImproperlyConfigured):
        warnings.simplefilter("ignore")  # of an unknown engine; the check below reports it in one line
        database = dict(Env.db_url_config(environment.text("DATABASE_URL", default_url)))
    if str(database.get("ENGINE", "")).endswith(("sqlite3", "postgresql")):
        return database
    wrong = "DATABASE_URL cannot be used: it is neither sqlite:///path nor postgres://user:password@host:port/name."
    environment.PROBLEMS.append(("DATABASE_URL", wrong))
    return dict(Env.db_url_config(default_url))


def _of_postgresql(pooled: bool, lease_seconds: float, statement_seconds: float) -> dict[str, Any]:
    lease = int(lease_seconds * 1000)
    # A process suspended in a transaction must not keep its locks, nor make others wait, for longer than a lease.
    # PostgreSQL 14 and newer also ends the query of a client that was killed.
    server = f"-c idle_in_transaction_session_timeout={lease} -c lock_timeout={lease} -c client_connection_check_interval=1000"
    # A query of thousands of rows looks expensive enough to be compiled, which takes longer than to run it.
    server += " -c jit=off"
    if pooled:  # the web process; controlplane/time_limit.py has the page that people see
        server += f" -c statement_timeout={int(statement_seconds * 1000)}"
    return ({"pool": {"min_size": 1, "max_size": 20, "timeout": 10}} if pooled else {}) | {
        # Notice a vanished server within seconds instead of the kernel's default of two hours.
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        # Without a number, Django lets psycopg prepare nothing, not even what engine/database.py asks it to. Django's own
        # queries are not prepared.
        "prepare_threshold": 5,
        "options": server,
    }
