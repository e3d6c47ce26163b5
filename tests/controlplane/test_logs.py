"""The log of a process: no foreign text can forge a line, and no secret gets in."""

import json
import logging
import logging.config
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings as project
from structlog.contextvars import bound_contextvars, get_contextvars

from pipeline import api
from pipeline.contract.job_type import Done
from pipeline.contract.registry import get_type
from pipeline.engine.workers.inline import work_off
from tests.factories import make_brand

ALL_HANDLERS = """
import django, json, logging
django.setup()
loggers = [logging.root, *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger))]
handlers = [(one.name, handler) for one in loggers for handler in one.handlers]
writing = [(name, handler) for name, handler in handlers if not isinstance(handler, logging.NullHandler)]  # else silent
print(json.dumps([[name, type(handler.formatter).__name__] for name, handler in writing]))
"""


@pytest.fixture
def written():
    """What a record looks like in the log."""
    config = project.LOGGING["formatters"]["line"]
    kind = logging.config.DictConfigurator({}).resolve(config["()"])
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(kind(config["fmt"], config["datefmt"]))
    # Of no tree: half of a surrogate pair in a report's captured log ends a parallel run.
    logger = logging.Logger("pipeline.test")  # noqa: LOG001
    logger.addHandler(handler)

    def written(call):
        stream.seek(0)
        stream.truncate()
        call(logger)
        return stream.getvalue()

    return written


@pytest.mark.parametrize(
    "nasty", ["\n2026-01-01 00:00:00+0000 ERROR pipeline: forged", "\r\x1b[2J", "\u2028forged", "\u202egnp", "a\0b", "\ud83d"]
)
def test_one_record_is_one_line_whatever_is_in_it(written, nasty):
    line = written(lambda logger: logger.warning("Apify says: %s", nasty))
    assert len(line.splitlines()) == 1
    assert not set(line) & set("\x1b\r\0\u202e\u2028\ud83d")


def test_a_traceback_keeps_its_lines_and_none_of_them_looks_like_a_record(written):
    def fail(logger):
        try:
            raise ValueError("first\n2026-01-01 00:00:00+0000 ERROR pipeline: forged\x1b")
        except ValueError:
            logger.exception("It failed.")

    first, *rest = written(fail).splitlines()
    assert first.endswith("It failed.")
    assert len(rest) > 3
    assert all(line.startswith("  | ") for line in rest)


def test_no_secret_is_written(written, settings, monkeypatch):
    settings.APIFY_TOKEN, settings.SECRET_KEY = "apify_api_0123456789", "a-long-secret-key"
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "database-password")
    said = "apify_api_0123456789 a-long-secret-key database-password https://x.test/?access_token=abc123&a=1 Bearer zzzzzzzz"

    def fail(logger):
        try:
            raise ValueError(f"{said} postgres://me:hunter22@host/name")
        except ValueError:
            logger.exception(said)

    text = written(fail)
    for secret in ("apify_api_0123456789", "a-long-secret-key", "database-password", "abc123", "zzzzzzzz", "hunter22"):
        assert secret not in text
    assert text.count("[secret]") >= 10


@pytest.mark.parametrize(
    ("debug", "chosen", "formatter"),
    [("0", "line", "LineFormatter"), ("1", "line", "LineFormatter"), ("0", "json", "JsonFormatter")],
)
def test_every_handler_of_the_process_writes_so(debug, chosen, formatter):
    """Django's own handlers too."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "controlplane.settings",
        "SECRET_KEY": "x" * 60,
        "DEBUG": debug,
        "LOG_FORMAT": chosen,
    }
    done = subprocess.run([sys.executable, "-c", ALL_HANDLERS], env=environment, capture_output=True, text=True, check=True)
    handlers = json.loads(done.stdout)
    assert ["root", formatter] in handlers
    assert {kind for _, kind in handlers} == {formatter}


@pytest.fixture
def as_json():
    """What a record looks like in the log, where LOG_FORMAT is json."""
    config = project.LOGGING["formatters"]["json"]
    handler = logging.StreamHandler(stream := StringIO())
    handler.setFormatter(logging.config.DictConfigurator({}).resolve(config["()"])())
    logger = logging.Logger("pipeline.test")  # noqa: LOG001  of no tree, as above
    logger.addHandler(handler)

    def as_json(call):
        stream.seek(0)
        stream.truncate()
        call(logger)
        (line,) = stream.getvalue().splitlines()
        return json.loads(line)

    return as_json


def test_a_json_line_says_which_run_brand_and_request_it_is_about(as_json):
    with bound_contextvars(run=481, brand="acme", request="abcdef12"):
        said = as_json(lambda logger: logger.warning("%s waits.", "It"))
    assert said.pop("time").endswith("Z")
    known = {"run": 481, "brand": "acme", "request": "abcdef12", "logger": "pipeline.test"}
    assert said == {"level": "warning", "message": "It waits.", **known}
    assert "run" not in as_json(lambda logger: logger.warning("Of nothing."))


def test_a_json_line_holds_no_secret_and_nothing_that_harms_a_terminal(as_json, settings):
    settings.APIFY_TOKEN = "apify_api_0123456789"

    def fail(logger):
        try:
            raise ValueError(f"{settings.APIFY_TOKEN} \x1b[2J\nforged")
        except ValueError:
            logger.exception("It failed with %s\x1b\nforged", settings.APIFY_TOKEN)

    with bound_contextvars(brand=f"{settings.APIFY_TOKEN}\x1b"):
        said = as_json(fail)
    assert "apify_api" not in str(said)
    assert "\x1b" not in "".join(map(str, said.values()))
    assert said["message"] == "It failed with [secret]\\x1b\\nforged"
    assert "ValueError: [secret]" in said["exception"]


@pytest.mark.parametrize(
    ("given", "kept"), [("from-the-proxy.1", True), ("short", False), ("a\tforged line", False), ("x" * 65, False)]
)
def test_a_request_keeps_the_id_that_a_proxy_gave_it_if_that_is_a_plain_word(client, given, kept):
    answer = client.get("/healthz", headers={"X-Request-ID": given})
    assert (answer["X-Request-ID"] == given) == kept
    assert len(answer["X-Request-ID"]) >= 8
    assert get_contextvars() == {}  # the thread answers others next


@pytest.mark.django_db
def test_lines_of_plain_text_cost_a_run_no_look_at_its_brand(monkeypatch):
    api.queue_one_time_job(make_brand("Acme").pk, "toy", {})
    seen = []
    monkeypatch.setattr(type(get_type("toy")), "run", lambda *a: seen.append(get_contextvars()) or Done())
    work_off()
    assert [sorted(about) for about in seen] == [["job_type", "run"]]


@pytest.mark.django_db
def test_what_a_run_logs_names_the_run(as_json, monkeypatch, settings):
    settings.LOG_FORMAT = "json"
    run = api.queue_one_time_job(make_brand("Acme").pk, "toy", {}).run
    seen = []
    monkeypatch.setattr(type(get_type("toy")), "run", lambda *a: seen.append(get_contextvars()) or Done())
    work_off()
    assert seen == [{"run": run.pk, "job_type": "toy", "brand": "acme"}]
    assert get_contextvars() == {}
