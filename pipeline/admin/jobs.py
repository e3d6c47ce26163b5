"""Jobs: the form has the parameter fields of the job type, and saving calls pipeline.api."""

from copy import deepcopy
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from .. import api, queries
from ..contract.errors import InvalidRequest
from ..contract.job_type import JobType
from ..contract.parameters import clean_parameters
from ..contract.registry import find_type, get_type, offered_types
from ..models import Brand, Job
from ..people import brands_for, may_spend
from ..states import JobStatus
from .base import OfBrands, act_on_each

PREFIX = "parameter_"  # keeps a type's field apart from a job's field of the same name


class JobForm(forms.ModelForm):
    """Base of the forms that `form_for` makes, one per job type."""

    handler: JobType
    sure = forms.BooleanField(
        required=False, label="Yes, that often", help_text="Tick it if a schedule costs much: saving it asks, with the cost."
    )

    class Meta:
        model = Job
        fields = ("brand", "name", "schedule_type", "cron_expression", "time_zone", "max_runs", "max_retries")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name, value in (self.instance.parameters or {}).items():
            if f"{PREFIX}{name}" in self.fields:
                self.initial[f"{PREFIX}{name}"] = value

    def clean(self) -> dict[str, Any]:
        """Check the parameters by the type's own rules, and show each error at its field."""
        cleaned = super().clean() or {}
        given = {
            name: cleaned[PREFIX + name]
            for name in self.handler.Params.base_fields
            if cleaned.get(PREFIX + name) not in (None, "")
        }
        brand = cleaned.get("brand", self.instance.brand)
        recurring = cleaned.get("schedule_type", self.instance.schedule_type) == Job.Schedule.RECURRING
        for name in () if recurring else ("cron_expression", "max_runs"):
            if cleaned.get(name):  # or it would be ignored, and the job queued and paid for at once
                self.add_error(name, "A one-time job runs once, now. Choose Recurring above, or leave this empty.")
        if recurring and not self.instance.pk and cleaned.get("max_runs") == 0:
            self.add_error("max_runs", "With 0 runs it would never start. Leave this empty if it should never end.")
        try:
            self.parameters = clean_parameters(self.handler.Params, given, brand)
            if recurring:
                api.check_schedule(cleaned.get("cron_expression", ""))
            subject = self.handler.subject(brand, self.parameters).key
            if self.instance.pk and subject != self.instance.subject:
                raise InvalidRequest("A schedule cannot change what it scrapes. Add a new schedule and archive this one.")
            if recurring and not self.instance.pk and (twin := api.schedule_of(brand, self.handler.name, subject)):
                state = twin.get_status_display().lower()
                raise InvalidRequest(f"Schedule {twin.pk}, {twin}, already does this ({state}). Change that one instead.")
            if recurring and not cleaned.get("sure") and (asks := self._question(brand, cleaned)):
                self.add_error("sure", f"{asks} Not saved yet. Tick this if you are sure.")
        except InvalidRequest as error:
            placed = {name: name if name in self.fields else PREFIX + name for name in error.errors}
            for name, words in error.errors.items():
                self.add_error(placed[name] if placed[name] in self.fields else None, ValidationError(words))
            if not error.errors:
                self.add_error(None, str(error))
        return cleaned

    def _question(self, brand: Brand | None, cleaned: dict[str, Any]) -> str:
        """What to ask before this schedule is saved; '' if nothing, or if its time is as it was."""
        expression, zone = cleaned.get("cron_expression", ""), cleaned.get("time_zone") or queries.zone_for(brand, None)
        if not expression or (self.instance.pk and not {"cron_expression", "time_zone"} & set(self.changed_data)):
            return ""
        estimate = queries.estimate_for(self.handler.name, brand, self.parameters)
        return queries.question(queries.runs_a_month(expression, zone), estimate.cost_usd if estimate else None)


def form_for(job_type: str) -> type[JobForm]:
    """The form for a job of this type: the job's own fields, then the type's with its defaults."""
    handler = get_type(job_type)
    fields = {f"{PREFIX}{name}": deepcopy(field) for name, field in handler.Params.base_fields.items()}
    for name, field in handler.Params.base_fields.items():
        fields[f"{PREFIX}{name}"].label = field.label or name.replace("_", " ").capitalize()
    return type("JobForm", (JobForm,), {**fields, "handler": handler})


@admin.register(Job)
class JobAdmin(OfBrands):
    list_display = (
        "__str__",
        "job_type",
        "brand",
        "subject",
        "schedule_type",
        "cron_expression",
        "status",
        "runs_completed",
        "created_at",
    )
    list_filter = ("status", "schedule_type", "job_type", "brand", "trigger_source")
    search_fields = ("=id", "=subject", "=name")
    search_help_text = "A job's number, or its whole subject or name."
    list_select_related = ("brand",)
    actions = ("run_now", "pause", "resume", "archive")
    readonly_fields = ("job_type", "status", "when_in_words", "runs_completed", "last_error", "created_by", "created_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a job has the history: archive it instead

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and (not obj.recurring or obj.status == "archived" or find_type(obj.job_type) is None):
            return False  # a one-time job is already queued; a type whose code is gone has no form
        return super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A job that is added is paid for: that takes the right to spend, besides."""
        return super().has_add_permission(request) and self.has_scrape_permission(request)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field and db_field.name == "brand":
            field.required = None not in brands_for(request.user)
        return field

    def has_scrape_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("pipeline.scrape_run")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not _chosen(request):
            context = {
                **self.admin_site.each_context(request),
                "title": "Choose a job type",
                "types": [one for one in offered_types() if _may_add(request, one.name)],
                "opts": self.opts,
            }
            return TemplateResponse(request, "admin/pipeline/job/choose.html", context)
        return super().add_view(request, form_url, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self.get_object(request, unquote(object_id)) if request.method == "POST" else None
        if job and super().has_change_permission(request) and not self.has_change_permission(request, job):
            # It may have been archived in another tab. Say so: Django would blame a missing permission.
            words = f"{job} is {job.get_status_display().lower()} and can no longer be changed. Not saved."
            messages.error(request, words)
            return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        name = obj.job_type if obj else _chosen(request)
        # Passed as an argument, because all threads of the web process share this object.
        return super().get_form(request, obj, change, form=form_for(name) if find_type(name) else JobForm, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        name = obj.job_type if obj else _chosen(request)
        own = ["brand", "name", "schedule_type", "cron_expression", "time_zone", "max_runs", "max_retries"]
        sure = ["sure"] if self._may_edit(request, obj) else []
        parameters = (
            [f"{PREFIX}{field}" for field in get_type(name).Params.base_fields]
            if name and self._may_edit(request, obj)
            else ["parameters"]
        ) + sure
        return ["job_type", *own, *parameters, *([] if obj is None else self.readonly_fields[1:])] if obj else [*own, *parameters]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.readonly_fields, "brand", "schedule_type"] if obj else []

    def _may_edit(self, request: HttpRequest, obj: Any) -> bool:
        return obj is None or self.has_change_permission(request, obj)

    @admin.display(description="When")
    def when_in_words(self, job: Job) -> str:
        return queries.when_in_words(job)

    def save_model(self, request: HttpRequest, obj: Job, form: JobForm, change: bool) -> None:
        """Save with pipeline.api, which queues the run or moves the schedule's one future run."""
        handler, parameters = form.handler, form.parameters
        if obj.schedule_type == Job.Schedule.RECURRING:
            saved = api.ensure_recurring_job(
                obj.brand_id,
                handler.name,
                obj.cron_expression,
                parameters,
                enabled=True if not change or obj.status == JobStatus.COMPLETED else None,  # its limit of runs may be higher now
                name=obj.name or None,
                time_zone=obj.time_zone,
                max_runs=obj.max_runs,
                max_retries=obj.max_retries,
                created_by=request.user,
            )
        else:
            queued = api.queue_one_time_job(
                obj.brand_id,
                handler.name,
                parameters,
                name=obj.name or None,
                max_retries=obj.max_retries,
                created_by=request.user,
            )
            saved = queued.job
            if not queued.created:
                messages.warning(request, queries.already_queued(queued.run, parameters, request.user))
        obj.pk = saved.pk
        obj.refresh_from_db()

    @admin.action(description="Run now", permissions=["scrape"])
    def run_now(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        act_on_each(request, jobs, lambda job: api.job_run_now(job, request.user), "Runs queued")

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        act_on_each(request, jobs, lambda job: api.pause(job, request.user), "Jobs paused")

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        act_on_each(request, jobs, lambda job: api.resume(job, request.user), "Jobs resumed")

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        act_on_each(request, jobs, lambda job: api.archive(job, request.user), "Jobs archived")


def _chosen(request: HttpRequest) -> str:
    """The type in the URL of the add page, '' if it is missing or unknown."""
    name = request.GET.get("job_type", "")
    return name if name in {one.name for one in offered_types()} else ""


def _may_add(request: HttpRequest, job_type: str) -> bool:
    """Whether the person may start this type for any brand at all."""
    brands = brands_for(request.user)
    brand_id = None if None in brands else brands.rows().values_list("pk", flat=True).first()
    return may_spend(request.user, brand_id, job_type)
