"""One clock: the site's zone, in pages, logs, downloads and what commands print."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from pipeline import api
from pipeline.engine.workers.inline import work_off
from pipeline.models import RunLog
from pipeline.words import clock, stamp, to_the_second
from pipeline.words.cells import safe_cell
from tests.factories import make_brand

MOMENT = datetime(2026, 5, 4, 14, 2, 11, 123_000, tzinfo=UTC)  # 07:02:11 in Los Angeles


def test_every_form_of_a_time_is_in_the_sites_zone() -> None:
    with time_machine.travel(MOMENT, tick=False):
        assert clock(MOMENT) == "07:02"
    assert clock(MOMENT).endswith("4 May 07:02")
    assert to_the_second(MOMENT) == "07:02:11"
    assert stamp(MOMENT) == "2026-05-04T07:02:11.123-07:00"
    assert safe_cell(MOMENT) == stamp(MOMENT)
    assert safe_cell(MOMENT.date()) == "2026-05-04"


@pytest.mark.django_db(transaction=True)
def test_a_retrys_log_line_and_its_download_say_the_time_of_the_pages(admin_client: Client) -> None:
    run = api.queue_one_time_job(make_brand().pk, "toy", {"name": "a", "ends": "transient"}).run
    work_off()
    run.refresh_from_db()
    line = RunLog.objects.filter(run=run, message__contains="Next try at").get()
    assert f"Next try at {timezone.localtime(run.due_at):%H:%M}." in line.message
    text: Any = admin_client.get(f"/pipeline/runs/{run.pk}/log.txt").content.decode()
    assert f"{stamp(line.at)} " in text


def test_no_other_code_puts_a_time_into_words() -> None:
    """A time that is formatted elsewhere is soon in another zone."""
    root = Path(__file__).resolve().parents[3]
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for package in ("pipeline", "competitors")
        for path in (root / package).rglob("*.py")
        if "sandbox" not in path.parts and path.parent.name not in ("words", "templatetags", "migrations")
        for line in path.read_text().splitlines()
        if ":%H" in line or "strftime(" in line
    ]
    assert not found, found
