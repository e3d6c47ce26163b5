"""django-ox, in a project of its own: a schema of the same PostgreSQL, or a SQLite file. Run by a Python that has `django-ox`."""

import os
from importlib.metadata import version
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings

from benchmarks.marks import notes
from benchmarks.peers.serve import serve, timed

URL = os.environ["BENCH_PEER_DATABASE"]
POSTGRES = URL.startswith("postgres")


def database() -> dict[str, Any]:
    if not POSTGRES:
        options = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": URL, "OPTIONS": options | {"timeout": 20}}
    parts = urlsplit(URL)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": parts.port,
        "OPTIONS": {"options": "-c search_path=ox"},
    }


settings.configure(
    INSTALLED_APPS=["django_ox"],
    DATABASES={"default": database() | {"CONN_MAX_AGE": None}},
    TASKS={"default": {"BACKEND": "django_ox.backend.OxBackend"}},
    LOGGING={"version": 1, "disable_existing_loggers": False, "loggers": {"django_ox": {"level": "WARNING"}}},
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402 - after the settings
from django.db import connection  # noqa: E402
from django.tasks import task  # noqa: E402
from django_ox.bulk import enqueue_many  # noqa: E402
from django_ox.models import OxTask  # noqa: E402


@task
def mark(name: str) -> None:
    notes.note(name)


@task
def doze(name: str, works: float) -> None:
    notes.doze(name, works)


def put_many(names: list[str]) -> None:
    enqueue_many(mark, [((name,), {}) for name in names])


def empty() -> None:
    OxTask.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE django_ox_oxtask" if POSTGRES else "ANALYZE")


def commands() -> dict[str, Any]:
    if POSTGRES:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA IF NOT EXISTS ox")
    call_command("migrate", verbosity=0)
    return {
        "version": lambda: version("django-ox"),
        "put": timed(lambda name: mark.enqueue(name)),
        "put_many": put_many,
        "doze": timed(lambda name, works: doze.enqueue(name, works)),
        "empty": empty,
    }


if __name__ == "__main__":
    serve(lambda: call_command("ox_worker"), commands)
