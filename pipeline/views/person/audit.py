"""Middleware: tells the audit log whose request it is, and records what was downloaded."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ...api import record_change
from ...models import Brand
from ...people.audited import request_here

EXPORT = "export"
FILES = ("text/csv", "application/zip")  # not a single picture, nor a log


def audit(answer: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    def answered(request: HttpRequest) -> HttpResponseBase:
        token = request_here.set(request)
        try:
            response = answer(request)
            if request.method == "GET" and response.status_code == 200 and _is_file(response):
                _record_download(request, response)
            return response
        finally:
            request_here.reset(token)

    return answered


def _is_file(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith(FILES)


def _record_download(request: Any, response: HttpResponseBase) -> None:
    _, _, name = response.headers.get("Content-Disposition", "").partition("filename=")
    slug = request.resolver_match.kwargs.get("brand") if request.resolver_match else None
    brand = Brand.objects.filter(slug=slug).first() if slug else None
    of = f" of {brand}" if brand else ""
    chosen = f", filter {request.GET.urlencode()}" if request.GET else ""
    words = f"{request.user} downloaded {name.strip(chr(34)) or request.path}{of}{chosen}."
    record_change(EXPORT, words, request.user, subjects=[("", brand.pk if brand else None, "")])
