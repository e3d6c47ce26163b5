"""The page for who has failed to sign in too often."""

from datetime import timedelta
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from ...people import refused_until


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
