"""One search over everything that a person may see. Each app registers what it finds; here are runs and job types."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from ..contract.registry import all_types
from ..contract.site.notices import Found, FoundGroup, register_search
from ..contract.site.notices import search as search_everywhere
from ..models import Run
from ..people import brands_for
from ..words.search import folded
from .access import needs

SHOWN = 8  # of each kind
RUN_NUMBER = re.compile(r"(?:run\s*)?#?([0-9]{1,18})", re.IGNORECASE)


class SearchForm(forms.Form):
    q = forms.CharField(
        max_length=100,
        min_length=2,
        error_messages={
            "required": "Type a part of a name, a whole id, or the number of a run.",
            "min_length": "Type at least 2 characters.",
            "max_length": "Type at most 100 characters.",
        },
    )


@require_GET
@needs()
def search(request: HttpRequest) -> HttpResponse:
    """What is named so, by kind. The only row that is named exactly so is opened at once."""
    asked = request.GET.copy()
    if len(number := asked.get("q", "").strip()) == 1 and number.isdecimal():
        asked["q"] = f"run {number}"
    form = SearchForm(asked)
    groups = search_everywhere(request.user, form.cleaned_data["q"]) if form.is_valid() else []
    exact = [found for group in groups for found in group.found if found.exact]
    if len(exact) == 1:
        return redirect(exact[0].url)
    shown = [(group, group.found[:SHOWN], len(group.found) > SHOWN) for group in groups]
    context = {"words": request.GET.get("q", ""), "groups": shown, "wrong": form.errors.get("q", [])}
    return render(request, "pipeline/search.html", context)


@register_search
def runs_and_types(user: Any, words: str) -> Iterator[FoundGroup]:
    if not user.has_perm("pipeline.view_run"):
        return
    if number := RUN_NUMBER.fullmatch(words):
        runs = Run.objects.filter(brands_for(user).q(), pk=int(number[1])).select_related("brand")
        yield FoundGroup("Runs", [Found(f"Run {run.pk}", run.get_absolute_url(), _of(run), exact=True) for run in runs])
    named = [one for one in all_types() if folded(words) in folded(one.label)]
    history = reverse("runs")
    types = [Found(one.label, f"{history}?job_type={one.name}", "Its runs", folded(words) == folded(one.label)) for one in named]
    yield FoundGroup("Job types", types)


def _of(run: Run) -> str:
    return ", ".join(filter(None, [run.subject_label, run.brand.name if run.brand else ""]))
