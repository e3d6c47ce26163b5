"""How many queries each page and each of its live parts takes: as query_counts.json says, however many rows there are.

WRITE_QUERY_COUNTS=1 python -m tests.postgres pytest tests/controlplane/test_query_counts.py writes the file anew.
"""

import json
import os
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from benchmarks.manager import every_page, signed_in
from benchmarks.operations import Amount, fill
from benchmarks.pages import queries

FILE = Path(__file__).with_name("query_counts.json")
SMALL = Amount(brands=9, runs=500, live=152, incidents=3, failed_runs=12)
LARGE = Amount(brands=11, runs=600, live=190, incidents=12, failed_runs=48)


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_each_page_and_live_part_takes_the_queries_that_are_written_down_however_many_rows_there_are(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}  # each live part is made anew
    get_user_model().objects.create_superuser("bench", password="bench")
    fill(SMALL)
    few = {name: queries(signed_in(), url) for name, url in every_page()}
    fill(LARGE)
    many = {name: queries(signed_in(), url) for name, url in every_page()}
    if "WRITE_QUERY_COUNTS" in os.environ:
        FILE.write_text(json.dumps(many, indent=2) + "\n")
    assert {name: (few[name], count) for name, count in many.items() if few[name] != count} == {}
    assert many == json.loads(FILE.read_text())
