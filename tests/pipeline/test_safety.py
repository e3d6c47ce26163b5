"""What would let others in is one sentence, and stops web and worker; on one's own machine, with DEBUG, it is a warning."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError
from django.db import connection

from controlplane.sqlite3.base import DatabaseWrapper
from pipeline.checks import is_loopback

GOOD = {"DEBUG": "0", "SECRET_KEY": "kT4p-0s9Xw2_vLq8ZrB7mYc3NdE6uJfH1aGi5oQW", "ALLOWED_HOSTS": "a.example"}
DANGERS = [
    ("SECRET_KEY", "4x!w0+8e^k2$b7z", "SECRET_KEY is short or known"),
    ("SECRET_KEY", "ab" * 30, "SECRET_KEY is short or known"),
    ("SECRET_KEY", "django-insecure-4x!w0+8e^k2$b7z(9m@q1v#s5t&u6y)i3o", "SECRET_KEY is short or known"),
    ("SECRET_KEY_FALLBACKS", "an-old-one", "SECRET_KEY_FALLBACKS is short or known"),
    ("ALLOWED_HOSTS", "a.example,*", "ALLOWED_HOSTS has *"),
    ("CSRF_TRUSTED_ORIGINS", "https://a.example,https://*.b.example", "CSRF_TRUSTED_ORIGINS has https://*.b.example"),
    ("APIFY_API_URL", "http://apify.example", "APIFY_API_URL is plain http"),
    ("META_GRAPH_URL", "http://graph.example:8080/graph", "META_GRAPH_URL is plain http"),
    ("MEDIA_S3_URL", "http://10.0.0.7:9000", "MEDIA_S3_URL is plain http"),
]


@pytest.fixture
def production(settings, tmp_path, monkeypatch):
    settings.DEBUG = False
    settings.SECRET_KEY = GOOD["SECRET_KEY"]
    settings.ALLOWED_HOSTS = ["a.example"]
    monkeypatch.setitem(settings.DATABASES, "default", {"ENGINE": "controlplane.sqlite3", "NAME": tmp_path / "db.sqlite3"})
    return settings


def found():
    return list(run_checks(tags=["safety"], include_deployment_checks=True))


def test_a_safe_site_has_no_danger(production):
    assert found() == []


@pytest.mark.parametrize(("name", "value", "words"), DANGERS)
def test_each_danger_is_one_sentence_that_stops_it(production, name, value, words):
    many = name in ("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SECRET_KEY_FALLBACKS")
    setattr(production, name, value.split(",") if many else value)
    (danger,) = found()
    assert danger.is_serious()
    assert danger.msg.startswith(words)
    assert danger.msg.count(": ") == 1
    if name == "SECRET_KEY":
        assert value not in danger.msg
    if name != "ALLOWED_HOSTS":
        production.DEBUG, production.ALLOWED_HOSTS = True, ["localhost", "127.0.0.1", "[::1]"]
        (danger,) = found()
        assert not danger.is_serious()


def test_debug_is_for_ones_own_machine(production):
    production.DEBUG = True
    (danger,) = found()
    assert danger.is_serious()
    assert danger.msg.startswith("DEBUG shows code and settings")


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
def test_a_database_that_every_user_of_the_machine_can_read_is_named(production, tmp_path, ending):
    (tmp_path / "db.sqlite3").touch(0o600)
    path = tmp_path / f"db.sqlite3{ending}"
    path.touch()
    path.chmod(0o640)
    assert found() == []
    path.chmod(0o644)
    (danger,) = found()
    assert danger.msg == f"Every user of this machine can read the database: run `chmod o-rwx {path}`."


@pytest.mark.parametrize("name", ["APIFY_API_URL", "META_GRAPH_URL"])
@pytest.mark.parametrize("address", ["http://127.0.0.1:8600", "http://localhost/x", "http://[::1]:1", "https://a.example"])
def test_the_sandbox_on_this_machine_may_speak_plain_http(production, name, address):
    setattr(production, name, address)
    assert found() == []


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("[::1]", True), ("app.localhost", True), ("LOCALHOST.", True), ("0.0.0.0", False), ("", False)],
)
def test_what_only_this_machine_reaches(host, here):
    assert is_loopback(host) == here


@pytest.mark.parametrize("command", [["check", "--deploy"], ["web"], ["worker"]], ids=" ".join)
def test_commands_refuse(production, monkeypatch, command):
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it was served"))
    monkeypatch.setattr("pipeline.management.commands.worker.supervise", lambda: pytest.fail("workers were started"))
    production.ALLOWED_HOSTS = ["*"]
    call_command("check")  # which runs before most commands
    with pytest.raises(SystemCheckError, match="ALLOWED_HOSTS has \\*, so links can be made to lead anywhere"):
        call_command(*command)


@pytest.mark.only_on("sqlite")
def test_any_server_that_loads_the_site_refuses():
    result = run(["-c", "import controlplane.wsgi"], GOOD | {"ALLOWED_HOSTS": "*", "PIPELINE_WORKERS": "many"})
    assert result.returncode == 1
    assert "ImproperlyConfigured: PIPELINE_WORKERS" in result.stderr
    assert "ALLOWED_HOSTS has *" in result.stderr


def test_with_debug_the_web_listens_on_this_machine_only(production, monkeypatch):
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it was served"))
    production.DEBUG, production.ALLOWED_HOSTS = True, ["localhost"]
    with pytest.raises(CommandError, match="Not started: DEBUG is on, and others can reach 0.0.0.0:1."):
        call_command("web", listen="0.0.0.0:1")


def run(command, environment):
    environment = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=60, env=environment)


@pytest.fixture
def opened():
    """Opens a database as the product does, where nothing else limits what it creates."""
    before = os.umask(0)
    yield lambda path: (wrapper := DatabaseWrapper({**connection.settings_dict, "NAME": str(path)})).get_new_connection(
        wrapper.get_connection_params()
    )
    os.umask(before)


@pytest.mark.only_on("sqlite")
def test_the_product_makes_its_database_for_its_owner_only(opened, tmp_path):
    assert connection.settings_dict["ENGINE"] == "controlplane.sqlite3"
    path = tmp_path / "db.sqlite3"
    with closing(opened(path)) as database:
        database.execute("CREATE TABLE t (x)")
        assert {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == dict.fromkeys(
            ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"), 0o600
        )
    path.chmod(0o640)  # what its owner decides stays
    with closing(opened(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.only_on("sqlite")
def test_a_database_in_a_folder_that_is_not_there_is_told_by_sqlite(opened, tmp_path):
    with pytest.raises(sqlite3.OperationalError, match="unable to open database file"):
        opened(tmp_path / "none" / "db.sqlite3")
