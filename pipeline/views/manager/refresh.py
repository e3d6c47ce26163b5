"""Refresh what is stale: a page that says what it costs, before the one click that queues it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from ... import api, queries
from ...api import Queued
from ...contract.errors import InvalidRequest, NotAllowed
from ...models import Brand
from ...people import brands_for, platform_words
from ...queries.freshness import Bill, Dataset, Wish, bill, datasets
from ...words import counted
from ..access import needs, see_other
from .freshness import shown

Brands = dict[UUID | None, Brand | None]


@require_http_methods(["GET", "HEAD", "POST"])
@needs("pipeline.scrape_run")
def refresh(request: HttpRequest) -> HttpResponse:
    """GET lists the runs and their price, POST queues those that are still needed."""
    brands, columns, back, one = _asked(request)
    # Of one cell, what was never fetched is listed too: the person has it before their eyes.
    found = bill(brands, columns, request.user, never=one)
    if request.method == "POST":
        picked = set(request.POST.getlist("pick"))
        _queue(request, [wish for wish in found.wishes if wish.key in picked])
        return see_other(back)
    context = {"bill": found, "back": back, "notes": _notes(found, columns, request.user), "one": one}
    return render(request, "pipeline/manager/refresh.html", context)


def _asked(request: HttpRequest) -> tuple[Brands, Sequence[Dataset], str, bool]:
    """Brands, datasets, where to go back to, and whether it is about one cell."""
    slug, key = request.GET.get("brand", ""), request.GET.get("dataset", "")
    if not slug and "platform" not in request.GET:
        page = shown(request)
        return page.brands, page.columns, f"{reverse('freshness')}?{page.address}".removesuffix("?"), False
    dataset, opened = datasets().get(key), brands_for(request.user)
    if dataset is None:
        raise Http404
    if slug:
        brand = get_object_or_404(opened.rows(), slug=slug)
        return {brand.pk: brand}, [dataset], reverse("freshness_cell", args=[slug, key]), True
    if not opened.platform:
        raise PermissionDenied(platform_words())
    return {None: None}, [dataset], reverse("freshness_platform", args=[key]), True


def _notes(found: Bill, columns: Sequence[Dataset], user: Any) -> list[str]:
    """What to know before the click."""
    limit = queries.over_the_limit(found.price, queries.spent_today()) if found.price else ""
    no_worker = queries.no_worker_since(timezone.now())
    return [words for words in (limit, no_worker) if words]


def _queue(request: HttpRequest, wishes: Sequence[Wish]) -> None:
    groups: dict[tuple[str, UUID | None], list[Wish]] = {}
    for wish in wishes:
        groups.setdefault((wish.handler.name, wish.brand_id), []).append(wish)
    created, live, refused = 0, 0, []
    for (job_type, brand_id), theirs in groups.items():
        wanted = [dict(wish.subject.parameters) for wish in theirs]
        try:
            results: Sequence[Queued | InvalidRequest | NotAllowed] = api.queue_many(
                brand_id, job_type, wanted, created_by=request.user
            )
        except (InvalidRequest, NotAllowed) as error:  # of all of the brand's
            results = [error] * len(theirs)
        for wish, result in zip(theirs, results, strict=True):
            if isinstance(result, Queued):
                created, live = created + result.created, live + (not result.created)
            else:
                refused.append(f"{wish.subject.label or wish.brand}: {result}")
    if not (created or live or refused):
        messages.info(request, "Nothing was queued: all of it is fresh or under way by now.")
        return
    words = [f"{counted(created, 'run')} queued."]
    words += [f"{counted(live, 'run')} under way already."] if live else []
    words += [f"{len(refused)} refused.", *refused] if refused else []
    messages.add_message(request, messages.WARNING if refused else messages.SUCCESS, " ".join(words))
