"""Removes a subject's row, after a page that says what that ends and what is kept."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html

from pipeline import api, queries
from pipeline.views.access import see_other

from ...steps import settings
from .page import SubjectPage


def remove(
    request: HttpRequest, page: SubjectPage[Any], place: Mapping[str, Any], row: Any, *, data: str, kept: str = "", gone: str = ""
) -> HttpResponse:
    """A POST removes it, unless a run is live. `data`: "reviews"; `kept`: what of it stays, `gone`: what goes, in a sentence."""
    brand, key, label = place["brand"], page.key(row), page.label(row)
    live = queries.live_run(page.job_type, brand.pk, key)
    schedule = api.schedule_of(brand, page.job_type, key)
    if request.method == "POST" and not live:
        settings.record([row], "Removed", request.user)
        row.delete()
        archived = format_html(" Its schedule “{}” is archived.", schedule) if schedule else ""
        stays = f"{data} and runs" if kept else "runs"
        messages.success(request, format_html("Removed <bdi>{}</bdi>. Its {} are kept.{}", label, stays, archived))
        return see_other(reverse(page.url_name, kwargs=page.address(place)))
    context = {"page": page, "label": label, "row": row, "live": live, "schedule": schedule}
    context |= {"data": data, "kept": kept, "gone": gone}
    return render(request, "competitors/remove.html", {**place, **context}, status=409 if request.method == "POST" else 200)
