"""On SQLite one connection writes at a time, and the others wait."""

import threading
import time
from contextlib import closing, contextmanager

import pytest
from django.db import OperationalError, connection, transaction

from pipeline.models import Brand

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]


@pytest.fixture
def another():
    """A second connection."""
    with closing(connection.copy()) as other:
        yield other


@contextmanager
def writing(connection):
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        yield
    finally:
        connection.rollback()
        connection.set_autocommit(True)


def test_a_transaction_begins_soon_after_the_one_that_it_waited_for(another):
    waits = []
    for _ in range(3):
        ready = threading.Event()
        begun: list[float] = []

        def begin(ready=ready, begun=begun):
            connection.ensure_connection()
            ready.set()
            with transaction.atomic():
                begun.append(time.monotonic())
            connection.close()

        waiting = threading.Thread(target=begin)
        with writing(another):
            waiting.start()
            assert ready.wait(10)
            waiting.join(0.25)  # by then SQLite itself looks every 100 ms
            assert not begun
            ended = time.monotonic()
        waiting.join(10)
        waits.append(begun[0] - ended)
    assert min(waits) < 0.04


def test_a_transaction_that_does_not_end_is_waited_for_as_long_as_the_setting_says(another, monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
    with writing(another), pytest.raises(OperationalError, match="locked"), transaction.atomic():
        pass
    Brand.objects.create(name="Acme", slug="acme")
    assert connection.connection.execute("PRAGMA busy_timeout").fetchone() == (50,)  # for what needs no transaction
