"""When searches run by themselves, for no single brand: the list of them, and the form of one."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from competitors.views.subjects import schedule
from pipeline import api, queries
from pipeline.contract import get_type
from pipeline.models import Job
from pipeline.people import can_words
from pipeline.states import JobStatus
from pipeline.views.access import needs, see_other
from pipeline.views.schedules.form import OFF, ScheduleForm

from ...job import NAME
from ...service import Search
from .. import frame

PAGE = {"act": "Scrape"}  # what the parts of a schedule's page say of the work
OPTIONS = ("max_ads", "images_only", "auto_queue")


@needs(frame.VIEW, platform=True)
def schedules(request: HttpRequest) -> HttpResponse:
    """Every scheduled search with its next run and what it costs a month."""
    rows = []
    for job in _jobs():
        row = queries.schedule_row(job)
        estimate = get_type(NAME).estimate(None, job.parameters)
        cost = row.cost_a_month(estimate.cost_usd if estimate else None)
        rows.append({"schedule": row, "search": Search.of(job.parameters), "cost": cost})
    context = frame.frame(request, "template_schedules") | {"rows": rows, "lacking": can_words(frame.SCHEDULE)}
    return render(request, "competitors/template_scrape/schedules.html", context)


@needs(frame.VIEW, frame.SCHEDULE, platform=True)
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """GET shows a schedule, and with the form's fields what they would mean. POST saves it; what costs much asks first."""
    job = get_object_or_404(_jobs(), pk=pk) if pk else None
    preview = "every" in request.GET
    data = request.POST if request.method == "POST" else request.GET if preview else None
    form = ScheduleForm(data, initial=ScheduleForm.values_of(job.cron_expression) if job else {}, auto_id="schedule_%s")
    if job is None:
        form.fields["every"].choices = [one for one in form.fields["every"].choices if one[0] != OFF]  # type: ignore[attr-defined]
    search = _search_form(data, job)
    outlook = schedule.outlook(form, job, queries.zone_for(None, job), _price(search, job))
    if preview:
        return render(request, "competitors/_schedule_outlook.html", {"outlook": outlook, "form": form, "page": PAGE})
    posted = request.method == "POST"
    if posted and search.is_valid() and form.is_valid() and (not outlook.get("question") or "sure" in request.POST):
        known = job or api.schedule_of(None, NAME, Search.of(search.cleaned_data).key)
        label = Search.of(search.cleaned_data).subject.label
        if schedule.saved(request, None, NAME, form.expression, search.cleaned_data, known, label=label):
            return see_other(reverse("template_schedules"))
    context = frame.frame(request, "template_schedules") | {
        "job": job,
        "page": PAGE,
        "label": Search.of(job.parameters).subject.label if job else "",
        "form": form,
        "search": search,
        "options": [search[name] for name in OPTIONS],
        "schedule": queries.schedule_row(job) if job else None,
        "changes": queries.changes(job) if job else [],
        "zone": queries.zone_in_words(queries.zone_for(None, job)),
        "outlook": outlook,
        "asks": posted and outlook.get("question"),
    }
    return render(request, "competitors/template_scrape/schedule.html", context, status=422 if posted else 200)


def _jobs() -> Any:
    jobs = Job.objects.filter(job_type=NAME, brand=None, schedule_type=Job.Schedule.RECURRING)
    return jobs.exclude(status=JobStatus.ARCHIVED).select_related("created_by").order_by("-pk")


def _search_form(data: Any, job: Job | None) -> Any:
    """The search and its options. A saved schedule keeps its search: another one is another schedule."""
    params = get_type(NAME).Params
    if data is None:
        return params(brand=None, initial=job.parameters if job else {}, auto_id="schedule_%s")
    sent = {name: field.widget.value_from_datadict(data, {}, name) for name, field in params.base_fields.items()}
    if job:
        sent["search_url"] = job.parameters["search_url"]
    return params(sent, brand=None, auto_id="schedule_%s")


def _price(search: Any, job: Job | None) -> Decimal | None:
    """Of one run with the options that were chosen, else of the saved ones."""
    sent = search.data if search.is_bound else (job.parameters if job else {})
    url = job.parameters["search_url"] if job else ""
    estimate = get_type(NAME).estimate(None, {"search_url": url, "max_ads": sent.get("max_ads")})
    return estimate.cost_usd if estimate else None
