"""Handles a request: counts it, applies faults, checks its token, and calls its endpoint."""

from . import errors
from .account import Account
from .errors import ApiError, CutConnection, RawAnswer
from .http import Answer, Request
from .routes import Service, control_answer, find, service_of

_HTML = b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


def answer(account: Account, request: Request) -> Answer:
    """The answer to any request. Raises CutConnection if the caller gets none."""
    if request.method == "GET" and (override := request.query.get("method", "").upper()) in ("POST", "PUT", "DELETE"):
        request.method = override
    service = service_of(request.path)
    try:
        if request.path.startswith("/sandbox/"):
            return control_answer(account, request)
        return _service_answer(account, request, service)
    except ApiError as error:
        return service.as_error(error)
    except RawAnswer as raw:
        return Answer(raw.status, raw.body, raw.content_type)


def _service_answer(account: Account, request: Request, service: Service) -> Answer:
    route = None
    try:
        route = find(service.routes, request)
    finally:
        account.count(f"{request.method} {route.template if route else request.path}")
    _before(account, request)
    if service.check:
        service.check(account, request, route)
    # Drawn before the request is handled, so that the seeded order does not depend on its outcome.
    afterwards = _drawn(account, request)
    found = route.handler(account, request)
    if afterwards is not None:
        raise afterwards
    if account.faults.take("drop_answer", request.path) is not None:
        raise CutConnection
    if account.faults.take("broken_json", request.path) is not None:
        raise RawAnswer(found.status, found.content_type, found.body[: len(found.body) // 2])
    return found


def _before(account: Account, request: Request) -> None:
    """Apply the faults that strike before the request is handled."""
    faults, path = account.faults, request.path
    if (seconds := faults.take("slow", path)) is not None:
        account.closed.wait(seconds)
    if faults.take("drop", path) is not None:
        raise CutConnection
    if faults.take("bad_token", path) is not None:
        raise ApiError(401, "user-or-token-not-found", "User was not found or authentication token is not valid.")
    if (seconds := faults.take("rate_limit", path)) is not None:
        headers = {"Retry-After": str(seconds)} if seconds else {}
        raise ApiError(429, "rate-limit-exceeded", "You have exceeded the rate limit. Please try again later.", headers)
    if (status := faults.take("server_error", path)) is not None:
        raise errors.server_error(status)
    if (status := faults.take("html_error", path)) is not None:
        raise RawAnswer(status, "text/html", _HTML)


def _drawn(account: Account, request: Request) -> Exception | None:
    """Draw the percentage faults: raise at once, or return what to raise after the request was handled."""
    faults, path = account.faults, request.path
    struck: Exception | None = None
    if faults.roll("drop_percent", path):
        struck = CutConnection()
    elif faults.roll("error_percent", path):
        struck = faults.choose([errors.server_error(500), RawAnswer(502, "text/html", _HTML), errors.server_error(503)])
    if struck is not None and faults.choose([True, False]):
        raise struck
    return struck
