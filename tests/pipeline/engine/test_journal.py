"""The log of a run is bounded."""

from pipeline import api
from pipeline.engine.journal import log
from tests.factories import make_brand


def test_a_full_log_says_so_and_keeps_only_errors(db, settings):
    settings.PIPELINE_LOG_LINES = 3
    run = api.queue_one_time_job(make_brand().pk, "toy").run
    run.logs.all().delete()
    for number in range(5):
        log(run.pk, f"line {number}")
    log(run.pk, "It failed.", "error")
    full = "The log is full (3 lines). From here on only errors are kept."
    assert list(run.logs.values_list("message", flat=True)) == ["line 0", "line 1", full, "It failed."]
