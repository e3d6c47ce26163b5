"""Scrapes of several subjects: a page that says what they cost before the one click that queues them all."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from pipeline import api
from pipeline.api import Queued
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.models import Run
from pipeline.words import counted

from .page import SubjectPage
from .panel import Panel


def asked_for(request: HttpRequest, shown: Sequence[Panel]) -> list[Panel]:
    """The panels that were ticked, or all of them."""
    data = request.POST if request.method == "POST" else request.GET
    picked = set(data.getlist("pick"))
    return [panel for panel in shown if "all" in data or panel.key in picked]


def bill(chosen: Sequence[Panel]) -> dict[str, Any]:
    """What scrapes of those that no run is busy with cost and take together. `price` is None where nothing is paid."""
    free = [panel for panel in chosen if not panel.live]
    estimates = [panel.estimate for panel in free if panel.estimate]
    price = sum((one.cost_usd for one in estimates), Decimal(0))
    return {
        "count": len(free),
        "price": price if estimates else None,
        "cap": sum((one.cap_usd for one in estimates), Decimal(0)),
        "minutes": max((one.minutes for one in estimates), default=0),
    }


def queue(page: SubjectPage[Any], rows: Sequence[Any], user: Any, *, legacy: bool = False) -> tuple[str, int]:
    """Queue a scrape of each row, or start it on the web server. Returns what became of them, and the message's level."""
    results: list[tuple[Any, Queued | InvalidRequest | NotAllowed]] = []
    by_brand: dict[Any, list[Any]] = {}
    for row in rows:
        by_brand.setdefault(row.brand.pk, []).append(row)
    for brand_id, theirs in by_brand.items():
        wanted = [page.parameters(row) for row in theirs]
        try:
            if legacy:
                results += zip(theirs, (_start_here(brand_id, page, one, user) for one in wanted), strict=True)
            else:
                results += zip(theirs, api.queue_many(brand_id, page.job_type, wanted, created_by=user), strict=True)
        except (InvalidRequest, NotAllowed) as error:  # of all of the brand's
            results += [(row, error) for row in theirs]
    return in_words(page.work.lower(), results)


def in_words(work: str, results: Sequence[tuple[Any, Queued | InvalidRequest | NotAllowed]]) -> tuple[str, int]:
    """What became of each, and the message's level. `work`: what a run is called."""
    refused = [f"{row}: {result}" for row, result in results if not isinstance(result, Queued)]
    done = [result for _, result in results if isinstance(result, Queued)]
    here = sum(one.created and one.run.mode == Run.Mode.LEGACY for one in done)
    queued = sum(one.created for one in done) - here
    words = f"{counted(queued, work)} queued, {len(done) - queued - here} already queued or running,"
    started = f"{counted(here, work)} started on the web server, " if here else ""
    level = messages.WARNING if refused else messages.SUCCESS if queued or here else messages.INFO
    return " ".join([f"{started}{words} {len(refused)} refused.", *refused]), level


def _start_here(brand_id: Any, page: SubjectPage[Any], wanted: dict[str, Any], user: Any) -> Queued | InvalidRequest | NotAllowed:
    try:
        return api.start_here(brand_id, page.job_type, wanted, mode=Run.Mode.LEGACY, created_by=user)
    except (InvalidRequest, NotAllowed) as error:
        return error
