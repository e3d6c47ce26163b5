"""Searches take turns: each may read all texts there are, which takes a processor and a thread."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from ...contract.site.turns import Turns
from .in_turn import answered_in_turn

SECONDS = 5
TURNS = Turns(2, of_one=1, waiting=4, seconds=SECONDS)


def few_at_once(answer: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware. The lists of what was scraped, the bar and the admin have the words that are searched for in `q`. History has
    them in fields of other names: it reads a limited number of runs.
    """

    def answered(request: HttpRequest) -> HttpResponseBase:
        zipped = request.path.endswith(".zip")  # it takes a turn of its own, for longer
        if zipped or not request.GET.get("q") or not request.user.is_authenticated:
            return answer(request)
        busy = partial(render, None, "429.html", status=429)  # it reads nothing of the database, which has enough to do
        return answered_in_turn(TURNS, request.user.pk, partial(answer, request), busy, SECONDS)

    return answered
