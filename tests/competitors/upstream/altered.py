"""The sandbox with altered answers: whatever an upstream may one day send."""

import gzip
import json
from collections.abc import Callable
from typing import Any

from competitors.sandbox import server
from competitors.sandbox.http import Answer, Request

GONE = object()
# One of every kind of value that a field may suddenly have.
WRONG: dict[str, Any] = {
    "dropped": GONE,
    "null": None,
    "text": "x",
    "nul": "a\0b",
    "path": "../../v2/users/me",
    "long": "A" * 200_000,
    "number": 7,
    "negative": -1,
    "huge": 10**400,
    "real": 1e308,
    "list": [1],
    "object": {"a": None},
    "true": True,
}


def alter(monkeypatch: Any, path: str, change: Callable[[Any], Any]) -> list[str]:
    """Apply `change` to the JSON of every answer whose path ends so. Returns the list of the paths that were met."""
    met: list[str] = []

    def whole(answer: Answer) -> Answer:
        body = change(json.loads(answer.body))
        return Answer(answer.status, body if isinstance(body, bytes) else json.dumps(body).encode(), headers=answer.headers)

    alter_raw(monkeypatch, path, whole, met)
    return met


def alter_raw(monkeypatch: Any, path: str, change: Callable[[Answer], Answer], met: list[str] | None = None) -> None:
    real = server.answer

    def answer(account: Any, request: Request) -> Answer:
        found = real(account, request)
        if f"{request.method} {request.path}".endswith(path) or request.path.startswith(path):
            if met is not None:
                met.append(request.path)
            return change(found)
        return found

    monkeypatch.setattr(server, "answer", answer)


def with_field(value: Any, *names: str) -> Callable[[Any], Any]:
    """Puts the value at this place of the JSON, or drops what is there. "*" is every entry of a list."""

    def change(data: Any) -> Any:
        put(data, names)
        return data

    def put(data: Any, left: tuple[str, ...]) -> None:
        if left[0] == "*":
            for number in range(len(data)):
                if len(left) == 1:
                    data[number] = None if value is GONE else value
                else:
                    put(data[number], left[1:])
        elif len(left) > 1:
            put(data[left[0]], left[1:])
        elif value is GONE:
            data.pop(left[0], None)
        else:
            data[left[0]] = value

    return change


def bomb(size: int) -> Callable[[Answer], Answer]:
    """A small compressed answer that is a list with one text of so many characters."""

    def change(answer: Answer) -> Answer:
        body = gzip.compress(b'[{"text":"' + b"x" * size + b'"}]')
        return Answer(200, body, headers=answer.headers | {"Content-Encoding": "gzip"})

    return change
