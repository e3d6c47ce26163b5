"""In the web process: a query that takes too long is stopped, and its page says so. One request cannot hold up the others.

PostgreSQL stops the query itself (`statement_timeout` in the settings). SQLite asks us while it works.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

logger = logging.getLogger(__name__)
STOPPED = {  # SQLSTATE or SQLite's name of the error: the query or its wait for a lock was ended
    "57014",  # query_canceled
    "55P03",  # lock_not_available
    "SQLITE_INTERRUPT",
    "SQLITE_BUSY",
}
STEPS = 200_000  # of SQLite's machine between two looks at the clock: some 10 ms. Each look waits for other threads


class TimeLimitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page of plain HTML: one that reads the database could take too long again."""
        if not took_too_long(error):
            return None
        logger.warning("%s %s took too long and was stopped: %s", request.method, request.path, str(error).strip())
        return render(None, "503.html", status=503)


def took_too_long(error: BaseException) -> bool:
    cause = error.__cause__
    names = {getattr(cause, "sqlstate", None), getattr(cause, "sqlite_errorname", None)}
    return isinstance(error, OperationalError) and not STOPPED.isdisjoint(names)


class Clock:
    """Around each query of a SQLite connection. One that sorts or counts works while it is started, so it is stopped there."""

    def __init__(self) -> None:
        self._until = float("inf")

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self._until = time.monotonic() + settings.PIPELINE_STATEMENT_SECONDS
        try:
            return execute(*arguments)
        finally:
            self._until = float("inf")

    def is_over(self) -> bool:
        return time.monotonic() > self._until


def limit_sqlite(connection: Any, **_: Any) -> None:
    if connection.vendor != "sqlite" or not settings.PIPELINE_STATEMENT_SECONDS:
        return
    clock = next((one for one in connection.execute_wrappers if isinstance(one, Clock)), None)
    if clock is None:
        clock = Clock()
        connection.execute_wrappers.append(clock)
    connection.connection.set_progress_handler(clock.is_over, STEPS)


def watch() -> None:
    connection_created.connect(limit_sqlite, dispatch_uid="limit_sqlite")
