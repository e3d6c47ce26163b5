"""run_job: its words, its exit codes, and that it leaves the run alone."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from pipeline.models import Run
from pipeline.states import RunStatus
from tests.factories import make_brand
from tests.processes import cluster, database_url, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def brand():
    return make_brand("Acme")


def test_it_queues_and_says_the_runs_number(capsys):
    call_command("run_job", "toy", "--brand", "acme", "--param", "name=owl")
    run = Run.objects.get()
    assert (run.status, run.subject) == (RunStatus.PENDING, "owl")
    assert f"Run {run.pk}: queued." in (out := capsys.readouterr().out)
    assert "No worker has ever reported" in out


@pytest.mark.parametrize("text", ["1e5", "007", "true", "a=b"])
def test_a_name_that_looks_like_a_number_stays_as_it_was_typed(text):
    call_command("run_job", "toy", "--brand", "acme", "--param", f"name={text}")
    assert Run.objects.get().parameters["name"] == text


def test_a_switch_is_off_when_somebody_says_no():
    call_command("run_job", "toy", "--brand", "acme", "--param", "tells=no", "--param", "inside=on")
    assert (Run.objects.get().parameters["tells"], Run.objects.get().parameters["inside"]) == (False, True)


def test_a_second_call_says_which_run_is_doing_it(capsys):
    call_command("run_job", "toy", "--brand", "acme")
    call_command("run_job", "toy", "--brand", "acme")
    assert f"Run {Run.objects.get().pk} was already queued" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["toi"], "There is no job type 'toi'"),
        (["toy", "--brand", "acmee"], "There is no brand 'acmee'. Known: acme"),
        (["toy", "--param", "nam=x"], "Did you mean 'name'?"),
        (["toy", "--param", "name"], "must have the form name=value"),
        (["toy", "--params", "{"], "--params is not JSON"),
        (["toy", "--params", "[]"], "must be a JSON object"),
        (["toy", "--param", "works=x"], "works"),
        (["toy", "--param", "tells=maybe"], "tells: 'maybe' is neither yes nor no."),
    ],
)
def test_bad_usage_is_said_and_is_2(arguments, words):
    with pytest.raises(CommandError, match=words.replace("?", r"\?").replace("(", r"\(")) as refused:
        call_command("run_job", *arguments)
    assert refused.value.returncode == 2
    assert not Run.objects.exists()


def test_direct_runs_it_here_and_shows_its_log(capsys):
    call_command("run_job", "toy", "--brand", "acme", "--direct")
    run = Run.objects.get()
    assert (run.status, run.mode) == (RunStatus.COMPLETED, "direct")
    assert "Completed: 1 toy." in capsys.readouterr().out


def test_a_run_that_fails_is_1(capsys):
    with pytest.raises(CommandError, match="no such toy") as failed:
        call_command("run_job", "toy", "--direct", "--param", "ends=permanent")
    assert failed.value.returncode == 1


def test_json_is_one_object_and_nothing_else(capsys):
    call_command("run_job", "toy", "--brand", "acme", "--direct", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["verdict"], answer["counts"], answer["created"]) == ("completed", "ok", {"new": 1}, True)


def test_giving_up_is_3_and_the_run_goes_on():
    with pytest.raises(CommandError, match="Gave up waiting") as gave_up:
        call_command("run_job", "toy", "--wait", "--timeout", "0.1")
    assert gave_up.value.returncode == 3
    assert Run.objects.get().status == RunStatus.PENDING


def test_wait_follows_a_worker(tmp_path, capsys):
    with cluster(tmp_path / "log"):
        call_command("run_job", "toy", "--brand", "acme", "--wait", "--timeout", "20")
    assert "Completed: 1 toy." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["--wait"], "continues without this command", "pending"),
        (["--direct", "--param", "works=60"], "is back in the queue", "pending"),
    ],
)
def test_ctrl_c_says_what_becomes_of_the_run(arguments, words, status, tmp_path):
    said = tmp_path / "said"
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_job", "toy", "--brand", "acme", *arguments],
            cwd=django_settings.BASE_DIR,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "DATABASE_URL": database_url(), "DEBUG": "1"},
        )
    until(lambda: "Run " in said.read_text(), "the command to follow its run, whose row is there before")
    until(lambda: not arguments[0].endswith("direct") or Run.objects.get().steps.exists(), "its first step")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert words in said.read_text()
    assert Run.objects.get().status == status
