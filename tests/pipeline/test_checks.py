"""Each problem with the settings is one clear line at start."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from pipeline import checks


def check(*arguments, **environment):
    result = subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "DEBUG": "1", "PYTHONPATH": str(settings.BASE_DIR), **environment},
    )
    return result.returncode, result.stdout + result.stderr


def test_a_right_environment_passes():
    code, words = check()
    assert code == 0, words


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PIPELINE_WORKERS", "many", "PIPELINE_WORKERS cannot be used"),
        ("PIPELINE_WORKERS", "0", "must be at least 1"),
        ("PIPELINE_LEASE_SECONDS", "-1", "PIPELINE_LEASE_SECONDS cannot be used"),
        ("PIPELINE_DAILY_SPEND_LIMIT_USD", "much", "PIPELINE_DAILY_SPEND_LIMIT_USD cannot be used"),
        ("PIPELINE_TIME_ZONE", "Mars/Olympus", "is not a time zone"),
        ("APIFY_API_URL", "ftp:/x", "APIFY_API_URL is not a web address"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL cannot be used"),
        ("DEBUG", "0", "SECRET_KEY is not set"),
    ],
)
def test_a_wrong_value_is_one_clear_line_and_no_traceback(name, value, said):
    code, words = check(**{name: value})
    assert code == 1
    assert said in words
    assert "Traceback" not in words


@pytest.mark.parametrize(
    ("change", "id"),
    [
        ({"timeout": 60}, "pipeline.E002"),
        ({"scheduler": True}, "pipeline.E003"),
        ({"retry": 5}, "pipeline.E004"),
        ({"sync": True}, "pipeline.E005"),
    ],
)
def test_cluster_settings_that_break_leases_are_refused(settings, change, id):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **change}
    assert [message.id for message in checks.cluster_agrees_with_leases(None)] == [id]


def test_a_start_window_longer_than_the_none_window_is_refused(settings):
    settings.PIPELINE_START_SECONDS = settings.PIPELINE_NONE_SECONDS
    assert [message.id for message in checks.cluster_agrees_with_leases(None)] == ["pipeline.E006"]
