"""A query that takes too long is stopped in the web process, and the page says what to do."""

import os
import subprocess
import sys

import pytest
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError, connection, connections
from django.http import HttpResponse
from django.urls import path

from controlplane.time_limit import limit_sqlite

ENDLESS = {
    "postgresql": "SELECT pg_sleep(60)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
}
SCRIPT = """
import controlplane.wsgi
from django.db import OperationalError
from controlplane.time_limit import took_too_long
from tests.controlplane.test_time_limit import run_endless
try:
    run_endless()
except OperationalError as error:
    print(took_too_long(error))
"""


def run_endless():
    with connection.cursor() as cursor:
        cursor.execute(ENDLESS[connection.vendor])


@login_not_required
def endless(request):
    run_endless()
    return HttpResponse("done")


@login_not_required
def broken(request):
    raise OperationalError("the disk is on fire")


urlpatterns = [path("endless/", endless), path("broken/", broken)]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_page_whose_query_was_stopped_says_to_ask_for_less(client, settings, caplog, monkeypatch):
    settings.PIPELINE_STATEMENT_SECONDS = 0.1
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 100")
    else:
        monkeypatch.setattr(connections["default"], "execute_wrappers", [])
        limit_sqlite(connection=connection)
    answer = client.get("/endless/")
    assert answer.status_code == 503
    assert "ask for less" in answer.content.decode()
    assert "/endless/ took too long and was stopped" in caplog.text


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_another_error_of_the_database_is_not_called_slow(client):
    client.raise_request_exception = False
    assert client.get("/broken/").status_code == 500


@pytest.mark.django_db
def test_the_web_process_stops_such_a_query_by_itself():
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "controlplane.settings",
        "DEBUG": "1",
        "PIPELINE_STATEMENT_SECONDS": "0.2",
    }
    answer = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60)
    assert (answer.stdout.split(), answer.returncode) == (["True"], 0), answer.stderr
