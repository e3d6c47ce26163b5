"""On SQLite the intent of a paid start is on the disk before the request leaves; other commits need no sync."""

import contextlib

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from pipeline.engine.database import durable
from pipeline.engine.workers.inline import work_one
from pipeline.models import UpstreamRun
from tests.competitors.scraping import upstream_runs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]
NORMAL, FULL = 1, 2


def level():
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA synchronous").fetchone()[0]


def test_the_intent_is_committed_with_a_sync_and_nothing_else_is(sandbox, run, monkeypatch):
    levels = []  # at each commit: whether there is an intent, and the level
    commit = BaseDatabaseWrapper._commit

    def noted(self):
        levels.append((UpstreamRun.objects.exists(), level()))
        return commit(self)

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", noted)
    work_one()
    assert upstream_runs(sandbox) == 1
    before = [found for intended, found in levels if not intended]
    of_intent, *after = [found for intended, found in levels if intended]
    assert of_intent == FULL
    assert set(before + after) == {NORMAL}


def test_the_usual_level_returns_after_an_error_and_after_a_lost_connection():
    with contextlib.suppress(ValueError), durable():
        assert level() == FULL
        raise ValueError("refused")
    assert level() == NORMAL
    with durable():
        connection.close()
    assert level() == NORMAL
