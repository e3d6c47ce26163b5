"""The page of a subject's schedule: when it runs, what that costs a month, who changed it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html

from pipeline import api, queries
from pipeline.contract import get_type
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.models import Job
from pipeline.views.access import see_other
from pipeline.views.schedules.form import ScheduleForm

from . import scrape
from .page import SubjectPage


def show(page: SubjectPage[Any], request: HttpRequest, row: Any, place: dict[str, Any]) -> HttpResponse:
    """GET shows the schedule, and with the form's fields what they would mean. POST saves it; what costs much asks first."""
    job = api.schedule_of(row.brand, page.job_type, page.key(row))
    preview = "every" in request.GET
    data = request.POST if request.method == "POST" else request.GET if preview else None
    form = ScheduleForm(data, initial=ScheduleForm.values_of(job.cron_expression) if job else {}, auto_id="schedule_%s")
    params = page.parameters(row) | (scrape.chosen(page, row, data) if data is not None else _options(page, row, job))
    coming = _outlook(page, row, form, job, params)
    if preview:
        return render(request, "competitors/_schedule_outlook.html", {"outlook": coming, "form": form, "page": page})
    ready = request.method == "POST" and form.is_valid() and (not coming.get("question") or "sure" in request.POST)
    if ready and _saved(request, page, row, form.expression, params, job):
        return see_other(page.url(row))
    handler = get_type(page.job_type)
    options = handler.Params(brand=row.brand, initial=params, auto_id="schedule_%s")
    context = place | {
        "page": page,
        "back": page.url(row),
        "label": page.label(row),
        "form": form,
        "options": [options[name] for name in page.options(row)],
        "schedule": queries.schedule_row(job) if job else None,
        "changes": queries.changes(job) if job else [],
        "zone": queries.zone_in_words(queries.zone_for(row.brand, job)),
        "outlook": coming,
        "asks": request.method == "POST" and coming.get("question"),
    }
    return render(request, "competitors/schedule.html", context, status=422 if request.method == "POST" else 200)


def _options(page: SubjectPage[Any], row: Any, job: Job | None) -> dict[str, Any]:
    """The options of the saved schedule, else their defaults."""
    return {name: value for name, value in (job.parameters if job else page.defaults(row)).items() if name in page.options(row)}


def _outlook(page: SubjectPage[Any], row: Any, form: ScheduleForm, job: Job | None, params: dict[str, Any]) -> dict[str, Any]:
    good_runs = queries.good_runs_of(page.job_type, row.brand.pk, page.key(row), page.about(row))
    estimate = page.estimate(row, params, good_runs, queries.price_now(page.job_type).usd)
    return outlook(form, job, queries.zone_for(row.brand, job), estimate.cost_usd if estimate else None)


def outlook(form: ScheduleForm, job: Job | None, zone: str, price: Decimal | None) -> dict[str, Any]:
    """What the chosen, else the saved schedule means: its words, next times, runs and cost a month. `price`: of one run."""
    if form.is_bound:
        expression = form.expression if form.is_valid() else ""
    else:
        expression = job.cron_expression if job else "0 6 * * *"
    if not expression:
        return {}
    runs = queries.runs_a_month(expression, zone)
    return {
        "words": queries.when_it_runs(expression, zone),
        "times": [queries.tick_in_words(time) for time in queries.next_times(expression, zone)],
        "runs": runs,
        "price": price,
        "cost": None if price is None else runs * price,
        "question": queries.question(runs, price),
    }


def _saved(
    request: HttpRequest, page: SubjectPage[Any], row: Any, expression: str, params: dict[str, Any], job: Job | None
) -> bool:
    """False, with a message, if it is refused."""
    if not expression and job is None:
        messages.info(request, format_html("{} has no schedule.", page.label(row)))
        return True
    return saved(request, row.brand.pk, page.job_type, expression, params, job, label=page.label(row))


def saved(
    request: HttpRequest,
    brand_id: UUID | None,
    job_type: str,
    expression: str,
    params: dict[str, Any],
    job: Job | None,
    *,
    label: str,
) -> bool:
    """Save the schedule and say so. '' switches the saved one off. What no form asks stays. False: refused, with a message."""
    kept = {"time_zone": job.time_zone, "max_runs": job.max_runs, "max_retries": job.max_retries} if job else {}
    try:
        schedule = api.ensure_recurring_job(
            brand_id,
            job_type,
            expression or (job.cron_expression if job else ""),
            params,
            enabled=bool(expression),
            keep_pause=False,
            created_by=request.user,
            **kept,
        )
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
        return False
    said = "Schedule of {} saved: {}." if expression else "Schedule of {} is off. It was: {}."
    messages.success(request, format_html(said, label, queries.schedule_row(schedule).words))
    return True
