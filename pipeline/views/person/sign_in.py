"""Who may try to sign in now: not who has failed too often, and few at once."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from ...contract.site.turns import Turns
from ...people import refused_until
from ...people.sign_in import address_of
from .in_turn import answered_in_turn

SECONDS = 3
TURNS = Turns(1, of_one=1, waiting=4, seconds=SECONDS)  # a password takes a core for half a second and more


def few_at_once(answer: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: of many people, or guessers, who sign in at the same moment, most are asked to try again."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or request.path not in _doors():
            return answer(request)
        busy = partial(render, request, "registration/refused.html", status=429)
        return answered_in_turn(TURNS, address_of(request), partial(answer, request), busy, SECONDS)

    return answered


@cache
def _doors() -> set[str]:
    return {reverse("login"), reverse("admin:login")}


def refused(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """429, with the time from which to try again. django-axes calls it instead of showing the form again."""
    until = refused_until(request, credentials) or timezone.now() + timedelta(seconds=1)
    seconds = ceil((until - timezone.now()).total_seconds())
    context = {
        "until": until + timedelta(seconds=59),
        "minutes": ceil(seconds / 60),
    }  # shown as hour and minute, so never too early
    page = render(request, "registration/refused.html", context, status=429)
    page.headers["Retry-After"] = str(max(seconds, 1))
    return page
