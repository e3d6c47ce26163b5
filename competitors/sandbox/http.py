"""Requests and answers without sockets: what an endpoint receives and returns."""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from . import errors
from .account import Account

#: Apify refuses larger run inputs.
MAX_BODY_BYTES = 9_437_184
_MAX_NUMBER = 999_999_999_999


@dataclass
class Request:
    method: str
    path: str
    query_string: str
    headers: dict[str, str]  # names in lower case
    raw_body: bytes
    client_ip: str
    base_url: str  # this sandbox's address: http://127.0.0.1:8600
    query: dict[str, str] = field(init=False)
    captured: dict[str, str] = field(default_factory=dict)  # from the path: actor_id, run_id …

    def __post_init__(self) -> None:
        self.query = {name: values[-1] for name, values in parse_qs(self.query_string, keep_blank_values=True).items()}

    @property
    def bearer(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @property
    def token(self) -> str:
        return self.bearer or self.query.get("token", "")

    def body(self) -> bytes:
        """The unzipped body."""
        encoding = self.headers.get("content-encoding", "identity").lower()
        body = self.raw_body
        if encoding == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                raise errors.invalid("The body is not valid gzip.", "invalid-request") from None
        elif encoding != "identity":
            raise errors.ApiError(415, "unsupported-content-encoding", f'Content-Encoding "{encoding}" is not supported.')
        if len(body) > MAX_BODY_BYTES:
            message = f"The POST payload is too large (limit: {MAX_BODY_BYTES} bytes, actual length: {len(body)} bytes)."
            raise errors.ApiError(413, "request-too-large", message)
        return body

    def number(self, name: str, default: float | None = None, least: float = 0) -> float | None:
        text = self.query.get(name, "")
        if not text:
            return default
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not least <= number <= _MAX_NUMBER:  # false for nan as well
            raise errors.invalid(f"Query parameter {name} must be a number of at least {least:g}, not {text!r}.")
        return number

    def integer(self, name: str, default: int) -> int:
        number = self.number(name, default)
        if number is None or number != int(number):
            raise errors.invalid(f"Query parameter {name} must be a whole number.")
        return int(number)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("1", "true")

    def words(self, name: str) -> list[str]:
        """The values of a comma-separated list."""
        return [word.strip() for word in self.query.get(name, "").split(",") if word.strip()]


@dataclass
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    stream: "Stream | None" = None  # instead of the body


@dataclass
class Stream:
    """A body that is made while it is sent. ``chunks`` may raise CutConnection."""

    chunks: Iterable[bytes]
    length: int | None  # of Content-Length; None: no such header, and the connection ends with the body


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    try:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # A lone surrogate is legal in JSON but not in UTF-8, so it is sent escaped.
        body = json.dumps(value, separators=(",", ":")).encode()
    return Answer(status, body, headers=headers or {})


def data(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """The ``{"data": …}`` envelope."""
    return as_json({"data": value}, status, headers)


def as_error(error: errors.ApiError) -> Answer:
    return as_json({"error": {"type": error.type, "message": error.message}}, error.status, error.headers)


Handler = Callable[[Account, Request], Answer]


@dataclass(frozen=True)
class Route:
    method: str
    template: str  # "/v2/actor-runs/{run_id}"
    handler: Handler
    needs_token: bool = True

    def match(self, path: str) -> dict[str, str] | None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None
