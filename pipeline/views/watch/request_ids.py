"""Every request has an id, which its log lines and its answer name. A proxy in front may have given it one."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

HEADER = "X-Request-ID"
PLAIN = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIds:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        name = given if PLAIN.fullmatch(given) else uuid.uuid4().hex
        bind_contextvars(request=name)
        try:
            answer = self.get_response(request)
        finally:
            clear_contextvars()  # the thread answers others next
        answer[HEADER] = name
        return answer

    def process_view(self, request: HttpRequest, view: Any, args: Any, address: dict[str, Any]) -> None:
        if "brand" in address:
            bind_contextvars(brand=str(address["brand"]))
