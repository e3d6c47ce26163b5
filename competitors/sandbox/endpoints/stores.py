"""A run's default key-value store. Its only record is INPUT."""

from .. import errors
from ..account import Account
from ..http import Answer, Request
from ..run import Run


def record(account: Account, request: Request) -> Answer:
    return _record(account.run_of_store(request.captured["store_id"]), request)


def record_of_run(account: Account, request: Request) -> Answer:
    return _record(account.run(request.captured["run_id"]), request)


def _record(run: Run, request: Request) -> Answer:
    """The stored input, unzipped, byte for byte."""
    if request.captured["key"] != "INPUT":
        raise errors.not_found("record")
    return Answer(200, run.body, run.content_type)
