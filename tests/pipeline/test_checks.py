"""Each problem with the settings is one clear line at start."""

import json
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


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PIPELINE_WORKERS", "many", "PIPELINE_WORKERS is not a whole number from 1: 'many'."),
        ("PIPELINE_WORKERS", "0", "PIPELINE_WORKERS is not a whole number from 1: '0'."),
        ("PIPELINE_LEASE_SECONDS", "-1", "PIPELINE_LEASE_SECONDS is not a number from 1: '-1'."),
        ("PIPELINE_LEASE_SECONDS", "abc", "PIPELINE_LEASE_SECONDS is not a number from 1: 'abc'."),
        ("PIPELINE_LEASE_SECONDS", "inf", "PIPELINE_LEASE_SECONDS is not a number from 1: 'inf'."),
        ("PIPELINE_DAILY_SPEND_LIMIT_USD", "much", "PIPELINE_DAILY_SPEND_LIMIT_USD is not an amount from 0: 'much'."),
        ("PIPELINE_DAILY_SPEND_LIMIT_USD", "NaN", "PIPELINE_DAILY_SPEND_LIMIT_USD is not an amount from 0: 'NaN'."),
        ("DEBUG", "maybe", "DEBUG is neither yes nor no: 'maybe'."),
        ("APIFY_API_URL", "https://api.example.com:x", "APIFY_API_URL is not a web address"),
        ("PIPELINE_TIME_ZONE", "Mars/Olympus", "is not a time zone"),
        ("APIFY_API_URL", "ftp:/x", "APIFY_API_URL is not a web address"),
        ("META_GRAPH_VERSION", "26", "META_GRAPH_VERSION has another form: '26'. Use one like v26.0."),
        ("META_GRAPH_VERSION_ENDS", "May", "META_GRAPH_VERSION_ENDS is not a day: 'May'. Use a form like 2028-05-31."),
        ("META_ACCESS_TOKENS", "act_1", "META_ACCESS_TOKENS has an entry that cannot be read."),
        ("EMAIL_URL", "smtp+tls://user:hunter22@mail.example.com:x", "EMAIL_URL cannot be read. Write smtp+tls://"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL cannot be used"),
        ("DEBUG", "0", "SECRET_KEY is not set"),
    ],
)
def test_a_wrong_value_is_one_clear_line_and_no_traceback(name, value, said):
    code, words = check(**{name: value})
    assert code == 1
    assert said in words
    assert "Traceback" not in words
    assert "hunter22" not in words


def in_settings(expression, **environment):
    """The value of an expression over the settings, in a process of its own with this environment."""
    script = f"from controlplane import settings; import json; print(json.dumps({expression}))"
    environment = {"PATH": os.environ["PATH"], "DEBUG": "1", "PYTHONPATH": str(settings.BASE_DIR), **environment}
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, env=environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_mail_server_is_read_with_its_password_and_encryption():
    wanted = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS")
    values = f"[{', '.join(f'settings.EMAIL_{name}' for name in wanted)}]"
    found = in_settings(values, EMAIL_URL="smtp+tls://ann:a%23b@mail.example.com:587")
    assert found == ["mail.example.com", 587, "ann", "a#b", True]


def test_a_secret_is_taken_as_it_is():
    secrets = {"SECRET_KEY": "$HOME-and-more\n", "APIFY_TOKEN": "$$x", "DATABASE_URL": "postgres://u:$PW%23@h/n"}
    values = in_settings("[settings.SECRET_KEY, settings.APIFY_TOKEN, settings.DATABASES['default']['PASSWORD']]", **secrets)
    assert values == ["$HOME-and-more", "$$x", "$PW#"]


def test_blanks_around_the_parts_of_a_list_do_not_count():
    lists = {"ALLOWED_HOSTS": "a, b ,", "CSRF_TRUSTED_ORIGINS": " https://a.example , https://b.example"}
    values = in_settings("[settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS]", **lists)
    assert values == [["a", "b"], ["https://a.example", "https://b.example"]]


def test_the_options_of_the_databases_address_join_ours():
    url = "postgres://u:p@h/n?sslmode=require&connect_timeout=9&options=-c%20search_path%3Dapp"
    options = in_settings("settings.DATABASES['default']['OPTIONS']", DATABASE_URL=url)
    assert (options["sslmode"], options["connect_timeout"], options["keepalives"]) == ("require", 9, 1)
    assert "-c lock_timeout=30000" in options["options"]
    assert "-c jit=off" in options["options"]
    assert options["options"].endswith("-c search_path=app")


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
