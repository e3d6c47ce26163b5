"""The log of a process: no foreign text can forge a line, and no secret gets in."""

import json
import logging
import logging.config
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings as project

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


@pytest.mark.parametrize("debug", ["0", "1"])
def test_every_handler_of_the_process_writes_so(debug):
    """Django's own handlers too."""
    environment = {"DJANGO_SETTINGS_MODULE": "controlplane.settings", "SECRET_KEY": "x" * 60, "DEBUG": debug}
    done = subprocess.run([sys.executable, "-c", ALL_HANDLERS], env=environment, capture_output=True, text=True, check=True)
    handlers = json.loads(done.stdout)
    assert ["root", "LineFormatter"] in handlers
    assert {formatter for _, formatter in handlers} == {"LineFormatter"}
