"""Middleware: tells the audit log whose request it is, and records what was downloaded."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ...api import record_change
from ...models import Brand
from ...people.audited import request_here

EXPORT = "export"
MADE_BY = "made_by"  # a file's answer has the run that made the file as an attribute of this name
FILES = ("text/csv", "application/zip")  # not a single picture, nor a log


def audit(answer: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    def answered(request: HttpRequest) -> HttpResponseBase:
        token = request_here.set(request)
        try:
            response = answer(request)
            if request.method == "GET" and response.status_code == 200 and _is_file(response):
                try:
                    _record_download(request, response)
                except BaseException:
                    if let_go := getattr(response, "let_go", None):  # a page about the error takes its place: nobody closes it
                        let_go()
                    raise
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
    query = request.GET.urlencode()
    if made_by := getattr(response, MADE_BY, None):  # what was asked for stands in the run, not in this address
        brand, query = made_by.brand, made_by.parameters["query"]
    of = f" of {brand}" if brand else ""
    chosen = f", filter {query}" if query else ""
    words = f"{request.user} downloaded {name.strip(chr(34)) or request.path}{of}{chosen}."
    record_change(EXPORT, words, request.user, subjects=[("", brand.pk if brand else None, "")])
