"""How an idle worker on SQLite hears that the file has changed."""

import os
import threading
import time

import pytest
from django.db import connection
from inotify_simple import INotify, flags

from pipeline.engine.queue import waiter as waiting
from pipeline.engine.queue.waiter import IDLE_SECONDS, Waiter
from pipeline.models import Brand

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]


@pytest.fixture
def waiter():
    read_end, write_end = os.pipe()
    waiter = Waiter(read_end)
    waiter.wait()  # the first one only learns of what there is
    yield waiter
    waiter.close()
    os.close(read_end)
    os.close(write_end)


@pytest.fixture
def looks(waiter, monkeypatch):
    """What the waiter's looks at the database found."""
    found, look = [], waiter._data_version
    monkeypatch.setattr(waiter, "_data_version", lambda: found.append(look()) or found[-1])
    return found


def change(name="a"):
    """A commit of another process."""

    def save():
        Brand.objects.create(name=name, slug=name)
        connection.close()

    thread = threading.Thread(target=save)
    thread.start()
    thread.join()


def waited(waiter, seconds=IDLE_SECONDS):
    began = time.monotonic()
    waiter._wait_for_change(seconds)
    return time.monotonic() - began


def test_while_nothing_changes_it_does_not_look(waiter, looks):
    assert waited(waiter, 0.4) >= 0.4
    assert len(looks) < 5


def test_it_hears_of_a_change(waiter, looks):
    threading.Timer(0.1, change).start()
    assert waited(waiter) < IDLE_SECONDS
    assert len(set(looks)) == 2
    assert not waiter.deaf


def test_it_hears_of_a_change_that_came_before_it_waits(waiter, looks):
    change()
    assert waited(waiter) < IDLE_SECONDS
    assert len(looks) == 1


def test_what_is_written_may_be_seen_later(waiter, monkeypatch):
    """Where a commit is synced to the disk before others see it."""
    seen = iter([waiter.version] * 6 + [-2])
    monkeypatch.setattr(waiter, "_data_version", lambda: next(seen))
    change()
    assert waited(waiter) < IDLE_SECONDS
    assert waiter.version == -2


def test_what_a_slow_disk_takes_its_time_for_is_looked_for_until_it_is_seen(waiter, monkeypatch):
    monkeypatch.setattr(waiting, "LOOK_FOR", 0.01)
    monkeypatch.setattr(waiting, "SLOW_DISK", 0.01)
    seen = iter([waiter.version] * 40 + [-2])
    monkeypatch.setattr(waiter, "_data_version", lambda: next(seen))
    change()
    assert waited(waiter) < IDLE_SECONDS
    assert (waiter.version, waiter.deaf) == (-2, False)


def test_while_it_looks_for_one_change_it_hears_of_the_next(waiter, monkeypatch):
    for name in ("LOOK_FOR", "FIRST_LOOK", "LONGEST_LOOK"):
        monkeypatch.setattr(waiting, name, 10)
    change()
    waiter.version = waiter._data_version()  # what is heard next is known already
    threading.Timer(0.1, lambda: change("b")).start()
    assert waited(waiter) < IDLE_SECONDS


def test_where_the_system_has_no_watch_it_looks_again_and_again(waiter, looks, monkeypatch):
    def refuse():
        raise OSError("too many watches")

    waiter.close()
    monkeypatch.setattr(waiting, "INotify", refuse)
    threading.Timer(0.2, change).start()
    assert waited(waiter) < IDLE_SECONDS
    assert len(looks) > 5


def test_a_watch_that_hears_nothing_is_given_up(waiter, looks, monkeypatch, tmp_path, caplog):
    """As on a file system that another kernel writes to."""
    waiter.close()
    with INotify() as other:
        other.add_watch(tmp_path, flags.MODIFY)
        waiter.log = other
        monkeypatch.setattr(other, "add_watch", lambda *_: None)
        threading.Timer(0.1, change).start()
        assert waited(waiter, 0.4) >= 0.4
        assert waiter.deaf
        assert "not heard here" in caplog.text
        waited(waiter)
        threading.Timer(0.1, lambda: change("b")).start()
        assert waited(waiter) < IDLE_SECONDS
