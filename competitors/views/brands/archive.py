"""Archive a brand or a competitor, after a page that says what that ends, and restore it. Nothing is deleted."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from competitors.steps.subject_rows import ARCHIVE, archive, restore, rows_of
from pipeline import api
from pipeline.contract.errors import NotAllowed
from pipeline.models import Job, Run
from pipeline.models.runs import of_subject
from pipeline.states import JobStatus
from pipeline.views.access import needs, see_other

from ..access import get_brand, get_competitor

ARCHIVE_BRAND = "pipeline.delete_brand"


@needs("competitors.view_competitor", ARCHIVE_BRAND)
def brand(request: HttpRequest, brand: str) -> HttpResponse:
    owner = get_brand(brand)
    if request.method == "POST":
        return _done(request, lambda: api.archive_brand(owner.pk, request.user), "Archived", owner, reverse("competitors"))
    context = {"brand": owner, "thing": owner, "back": reverse("brand_competitors", args=[owner.slug])}
    return _ask(request, context, Q(brand=owner))


@require_POST
@needs("competitors.view_competitor", ARCHIVE_BRAND)
def brand_back(request: HttpRequest, brand: str) -> HttpResponse:
    owner = get_brand(brand)
    back = reverse("brand_competitors", args=[owner.slug])
    return _done(request, lambda: api.restore_brand(owner.pk, request.user), "Restored", owner, back)


@needs("competitors.view_competitor", ARCHIVE)
def competitor(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    found = get_competitor(brand, competitor)
    if request.method == "POST":
        back = reverse("brand_competitors", args=[brand])
        return _done(request, lambda: archive(found, request.user), "Archived", found, back)
    context = {"brand": found.brand, "competitor": found, "thing": found, "back": found.get_absolute_url()}
    theirs = Q(subject__in=[str(row.pk) for row in rows_of(found)]) | of_subject(str(found.pk))
    return _ask(request, context, Q(theirs, brand=found.brand))


@require_POST
@needs("competitors.view_competitor", ARCHIVE)
def competitor_back(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    found = get_competitor(brand, competitor)
    return _done(request, lambda: restore(found, request.user), "Restored", found, found.get_absolute_url())


def _ask(request: HttpRequest, context: dict[str, Any], theirs: Q) -> HttpResponse:
    """What archiving ends. `theirs`: the condition for jobs and runs that it is about."""
    schedules = Job.objects.filter(theirs, schedule_type=Job.Schedule.RECURRING).exclude(status=JobStatus.ARCHIVED)
    live = Run.objects.live().filter(theirs, scheduled_for=None) | Run.objects.live().filter(theirs, started_at__isnull=False)
    context |= {"schedules": schedules.count(), "live": live.count()}
    return render(request, "competitors/brands/archive.html", context)


def _done(request: HttpRequest, act: Callable[[], None], word: str, thing: Any, to: str) -> HttpResponse:
    try:
        act()
    except NotAllowed as error:  # somebody else did it just before
        messages.info(request, str(error))
    else:
        after = "Its schedules stay archived: set them again." if word == "Restored" else "Nothing was deleted."
        messages.success(request, format_html("{} <bdi>{}</bdi>. {}", word, thing.name, after))
    return see_other(to)
