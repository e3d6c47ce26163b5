"""Probes and metrics: who may ask, what they tell, and what they do without a database or a worker."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from pipeline import api
from pipeline.engine.incidents.days import count_days
from pipeline.engine.workers.inline import work_off
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Run, Worker
from pipeline.queries.manager.watch import figures
from tests.factories import make_brand, make_upstream

TOKEN = {"Authorization": "Bearer a-token-of-tests"}


@pytest.fixture
def scraped(client, settings):
    """What a scrape reads: by name and labels."""
    settings.METRICS_TOKEN = "a-token-of-tests"

    def scraped():
        answer = client.get("/metrics", headers=TOKEN)
        assert answer.status_code == 200
        families = list(text_string_to_metric_families(answer.content.decode()))
        assert all(family.type == "gauge" and family.documentation for family in families)
        return {(one.name, *sorted(one.labels.values())): one.value for family in families for one in family.samples}

    return scraped


def no_database(*args, **kwargs):
    raise OperationalError("the server closed the connection: password=hunter22")


def test_the_process_says_that_it_is_alive_without_a_database(client):
    # No database mark: a query would fail this test.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_it_is_ready_while_a_worker_is_alive_and_says_how_late_the_oldest_run_is(client):
    missing = client.get("/readyz")
    assert missing.status_code == 503
    assert missing.json() == {"ready": False, "database": True, "workers": 0, "oldest_due_seconds": None}
    register_worker(Worker.Kind.WORKER)
    run = api.queue_one_time_job(make_brand().pk, "toy", {}).run
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=90))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["workers"] == 1
    assert 90 <= answer.json()["oldest_due_seconds"] < 100
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
    assert client.get("/readyz").status_code == 503


def test_without_a_database_it_is_not_ready_and_tells_nothing_of_the_error(client, monkeypatch, caplog):
    monkeypatch.setattr(connection, "ensure_connection", no_database)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": False, "workers": None, "oldest_due_seconds": None}


def test_a_probe_inside_the_proxy_is_not_sent_to_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/login/").status_code == 301


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer another"}, {"Authorization": "a-token-of-tests"}])
def test_metrics_are_closed_to_who_has_not_the_token(client, settings, sent):
    settings.METRICS_TOKEN = "a-token-of-tests"
    assert client.get("/metrics", headers=sent).status_code == 401
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_metrics_tell_what_is_live_how_attempts_ended_what_is_stale_and_what_was_spent(scraped):
    brand = make_brand()
    for name, ends in (("owl", "ok"), ("fox", "permanent"), ("bear", "transient")):
        api.queue_one_time_job(brand.pk, "toy", {"name": name, "ends": ends})
    work_off()
    late = api.queue_one_time_job(brand.pk, "marble", {"name": "blue"}).run
    Run.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(minutes=5))
    make_upstream(late)
    register_worker(Worker.Kind.WORKER)
    count_days(timezone.now())
    found = scraped()
    assert found["controlplane_runs", "later", "toy"] == 1  # waits for its next try
    assert found["controlplane_runs", "due", "marble"] == 1
    assert 300 <= found["controlplane_oldest_due_seconds",] < 310
    assert found["controlplane_attempts_last_hour", "completed"] == 1
    assert found["controlplane_attempts_last_hour", "failed"] == 2
    assert found["controlplane_runs_ended_today", "good", "toy"] == 1
    assert found["controlplane_runs_ended_today", "failed", "toy"] == 1
    assert found["controlplane_spent_today_usd", "apify"] == 1
    assert found["controlplane_spend_limit_usd",] == 50
    assert found["controlplane_subjects", "stale"] >= 1
    assert found["controlplane_workers", "idle"] == Worker.objects.count()
    assert found["controlplane_incidents",] == 1


@pytest.mark.django_db(transaction=True)
def test_a_scrape_takes_as_many_queries_however_many_runs_there_are(scraped):
    def count():
        with CaptureQueriesContext(connection) as queries:
            scraped()
        return len(queries)

    brand = make_brand()
    for name, ends in (("first", "ok"), ("second", "transient")):
        api.queue_one_time_job(brand.pk, "toy", {"name": name, "ends": ends})
    work_off()
    few = count()
    for number in range(20):
        api.queue_one_time_job(brand.pk, "toy", {"name": f"toy {number}", "ends": "transient"})
    work_off()
    assert count() == few


@pytest.mark.django_db
def test_only_attempts_of_the_last_hour_count(scraped):
    api.queue_one_time_job(make_brand().pk, "toy", {})
    work_off()
    now = timezone.now()
    assert figures._attempts(now - timedelta(hours=1)) == {"completed": 1}
    assert figures._attempts(now + timedelta(seconds=1)) == {}
