"""Answers to heavy requests, a few at a time."""

from collections.abc import Callable, Hashable

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from ...contract.site.turns import Turns


def answered_in_turn(
    turns: Turns, who: Hashable, answer: Callable[[], HttpResponseBase], busy: Callable[[], HttpResponse], seconds: int
) -> HttpResponseBase:
    """The answer if it is their turn, else the page `busy`, which says to try again after some seconds."""
    with turns.turn(who) as came:
        if came:
            return answer()
    page = busy()
    page.headers["Retry-After"] = str(seconds)
    return page
