"""Processes of the old code, from the migration to their restart."""

import pytest
from django.db import connection

from pipeline import api
from pipeline.engine import database
from pipeline.engine.queue import claim as claims
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, ConcurrencyLimit, Pause
from pipeline.queries.explain import explain


def narrowed(index: str) -> str:
    """The same index, of some of its rows only."""
    with connection.cursor() as cursor:
        (made,) = cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [index]).fetchone()
    return f"{made} AND subject <> 'x'"


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("index", ["run_claim_pending", "run_own_line", "run_claim_expired"])
@pytest.mark.parametrize("change", [lambda index: "", narrowed], ids=["dropped", "narrowed"])
def test_a_worker_still_claims_though_a_migration_changed_an_index(index, change, caplog):
    """PostgreSQL takes another index by itself."""
    database._say_once.cache_clear()
    paused, other = (Brand.objects.create(name=name, slug=name) for name in ("paused", "other"))
    ConcurrencyLimit.objects.create(job_type="toy", max_running=5)
    made = change(index)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")
        cursor.execute(made or "SELECT 1")
    worker = register_worker()
    first = api.queue_one_time_job(other.pk, "toy", {"name": "first"}).run
    assert claims.claim(worker)[0] == first
    Pause.objects.create(brand=paused)
    waits, second = (api.queue_one_time_job(brand.pk, "toy").run for brand in (paused, other))
    assert claims.claim(worker)[0] == second
    assert claims.claim(worker) is None
    assert "paused" in explain(waits, database.now())
    told = [record for record in caplog.records if "This process is older than the database" in record.message]
    assert len(told) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("postgresql")
def test_a_click_works_though_a_migration_has_widened_a_column_that_it_reads():
    """PostgreSQL refuses what was prepared before, and a web process keeps its connections."""
    brand = Brand.objects.create(name="Acme", slug="acme")
    try:
        for size in (300, 200):  # as it is in the end
            api.queue_one_time_job(brand.pk, "toy", {"name": f"before {size}"})
            with connection.cursor() as cursor:
                cursor.execute(f"DO $$ BEGIN ALTER TABLE {Brand._meta.db_table} ALTER COLUMN name TYPE varchar({size}); END $$")
            assert api.queue_one_time_job(brand.pk, "toy", {"name": f"after {size}"}).created
    finally:
        connection.close()
