"""Health, as the overview and as a tab: what needs a person, what recovers. And the page of one incident."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from ... import api, queries
from ...contract.errors import NotAllowed
from ...models import FailedRun, Incident, Outage
from ...people import brands_for
from ..access import back_to, needs
from ..live import around, fragment
from .counts import remember

PAGE = 50
BODY = "pipeline/manager/_health_body.html"  # of both pages; it polls at the idle pace
SNOOZES = {"1": "1 hour", "24": "1 day", "72": "3 days", "168": "1 week"}  # by hours


class NoteForm(forms.Form):
    """What a person says about an incident."""

    note = forms.CharField(required=False, max_length=500, help_text="What it was, and what you did. Stays with the incident.")


class SnoozeForm(NoteForm):
    hours = forms.ChoiceField(choices=list(SNOOZES.items()), label="For")


@require_GET
@needs("pipeline.view_run")
def health(request: HttpRequest) -> HttpResponse:
    return _page(request, "pipeline/manager/health.html")


@require_GET
@needs("pipeline.view_run")
def overview(request: HttpRequest) -> HttpResponse:
    """The first page: Health of the brands that are open to the person."""
    return _page(request, "pipeline/overview.html")


@require_GET
@needs("pipeline.view_run")
def health_live(request: HttpRequest) -> HttpResponse:
    return fragment(request, BODY, lambda: _context(request), shared=True)


def _page(request: HttpRequest, template: str) -> HttpResponse:
    return around(request, template, reverse("health_live"), BODY, lambda: _context(request), shared=True)


def _context(request: HttpRequest) -> dict[str, Any]:
    seen = queries.health(request.user)
    remember(request.user, health=seen.needing, active=seen.at_work.now, freshness=seen.stale_count)
    return {"health": seen}


@require_GET
@needs("pipeline.view_run")
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Its runs, and what to do about it."""
    one = _open(request, pk)
    (row,) = queries.incident_rows([one], request.user)
    page = Paginator(queries.failed_runs(one, request.user), PAGE).get_page(request.GET.get("page"))
    context = {"row": row, "page": page, "resolve_form": NoteForm(prefix="resolve"), "snooze_form": SnoozeForm(prefix="snooze")}
    return render(request, "pipeline/manager/incident.html", context)


@require_POST
@needs("pipeline.scrape_run")
def incident_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """One run is retried as a test. The others follow when it has worked."""
    one = _open(request, pk)
    try:
        run = api.retry_incident(one, request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        others = FailedRun.objects.filter(brands_for(request.user).q(), incident=one, held=True).count()
        then = f"{others} follow when it has worked." if others > 1 else "1 follows when it has worked." if others else ""
        link = format_html('<a href="{}">See run {}</a>', run.get_absolute_url(), run.pk)
        messages.success(request, format_html("Run {} is queued again as a test. {} {}", run.pk, then, link))
    return back_to(request, reverse("health"))


@require_POST
@needs("pipeline.manage_incident")
def incident_resolve(request: HttpRequest, pk: int) -> HttpResponse:
    one, form = _open(request, pk), NoteForm(request.POST, prefix="resolve")
    if not form.is_valid():
        return _refused(request, one, form)
    return _manage(request, lambda: api.resolve_incident(one, form.cleaned_data["note"], request.user), f"{one} is resolved.")


@require_POST
@needs("pipeline.manage_incident")
def incident_snooze(request: HttpRequest, pk: int) -> HttpResponse:
    one, form = _open(request, pk), SnoozeForm(request.POST, prefix="snooze")
    if not form.is_valid():
        return _refused(request, one, form)
    chosen = form.cleaned_data["hours"]
    until = timezone.now() + timedelta(hours=int(chosen))
    act = lambda: api.snooze_incident(one, until, form.cleaned_data["note"], request.user)  # noqa: E731
    return _manage(request, act, f"{one} is put off for {SNOOZES[chosen]}.")


@require_POST
@needs("pipeline.change_pause")
def outage_end(request: HttpRequest, pk: int) -> HttpResponse:
    """A source brings rows again, says a person: the schedules that wait for it go on."""
    if not brands_for(request.user).every:
        raise Http404
    one = get_object_or_404(Outage, pk=pk)
    return _manage(request, lambda: api.end_outage(one, request.user), "The schedules go on, each at its next time.")


def _open(request: HttpRequest, pk: int) -> Incident:
    """The incident, if one of its runs is of a brand that is open to this person. Any other is not found."""
    theirs = FailedRun.objects.filter(brands_for(request.user).q(), incident=pk)
    seen = Incident.objects.select_related("canary__brand", "canary__job", "resolved_by")
    return get_object_or_404(seen.filter(pk__in=theirs.values("incident")), pk=pk)


def _manage(request: HttpRequest, act: Any, said: str) -> HttpResponse:
    try:
        act()
        messages.success(request, said)
    except NotAllowed as error:
        messages.error(request, str(error))
    return back_to(request, reverse("health"))


def _refused(request: HttpRequest, one: Incident, form: forms.Form) -> HttpResponse:
    words = " ".join(str(error) for errors in form.errors.values() for error in errors)
    messages.error(request, words)
    return back_to(request, reverse("incident", args=[one.pk]))
