"""Other sessions of the database, in threads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def held_by_another(work: Callable[[], object]) -> Iterator[None]:
    """Another session does the work in a transaction, which stays open until the block ends."""
    done, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            work()
            done.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert done.wait(10)
        yield
    finally:
        go_on.set()
        thread.join(20)
