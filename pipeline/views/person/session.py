"""What holds for every answer and session, as middleware: private pages are kept by no cache, and an idle session ends."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase]
SEEN = "seen_at"
NOTED_EVERY = 60  # seconds: not every page writes a session


def private_pages(answer: Answer) -> Answer:
    """No browser or proxy keeps a page, unless its view says what may be kept. Static files are answered before."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return answered


def end_of_idle_sessions(answer: Answer) -> Answer:
    """Sign out who has done nothing for SESSION_IDLE_MINUTES. What an open page asks for by itself is nothing done."""

    def answered(request: Any) -> HttpResponseBase:
        if settings.SESSION_IDLE_MINUTES and request.user.is_authenticated:
            idle = time.time() - request.session.get(SEEN, 0)
            if idle > settings.SESSION_IDLE_MINUTES * 60 and SEEN in request.session:
                logout(request)
            elif idle > NOTED_EVERY and not request.htmx:
                request.session[SEEN] = time.time()
        return answer(request)

    return answered


def _note(sender: Any, request: Any, **_: Any) -> None:
    request.session[SEEN] = time.time()


user_logged_in.connect(_note, dispatch_uid="seen_at")
