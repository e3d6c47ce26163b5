from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import AllValuesFieldListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from .. import api
from ..models import Attempt, BulkAction, BulkItem, DayTally, Event, FailedRun, Incident, Job, Run, RunLog, Step
from ..people import Brands, brands_for
from ..queries.manager.history.bulk_actions import visible
from .base import EngineRows, act_on_each


class AttemptInline(admin.TabularInline):
    model = Attempt
    fields = readonly_fields = ("number", "outcome", "worker_label", "started_at", "ended_at", "exit_signal", "error")
    extra, can_delete = 0, False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(EngineRows):
    list_display = (
        "__str__",
        "page",
        "job_type",
        "brand",
        "subject_label",
        "status",
        "verdict",
        "mode",
        "created_at",
        "completed_at",
        "cost_actual",
    )
    list_filter = ("status", "verdict", "job_type", "brand", "mode", "trigger_source")
    search_fields = ("=id",)
    search_help_text = "A run's number. By words: History in the Pipeline Manager."
    list_select_related = ("brand", "job")
    inlines = (AttemptInline,)
    actions = ("run_now", "retry", "cancel", "accept")

    @admin.display(description="Page")
    def page(self, run: Run) -> str:
        return format_html('<a href="{}">Open</a>', run.get_absolute_url())

    def has_scrape_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("pipeline.scrape_run")

    def has_accept_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("pipeline.accept_run")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("pipeline.cancel_run")

    @admin.action(description="Retry", permissions=["scrape"])
    def retry(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        act_on_each(request, runs.select_related("job", "brand"), lambda run: api.retry(run, request.user), "Runs queued again")

    @admin.action(description="Run now", permissions=["scrape"])
    def run_now(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        act_on_each(request, runs, lambda run: api.run_now(run, request.user), "Runs due now")

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        act_on_each(request, runs, lambda run: api.cancel(run, request.user), "Runs being cancelled")

    @admin.action(description="Accept the result", permissions=["accept"])
    def accept(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        act_on_each(request, runs.select_related("job"), lambda run: api.accept(run, request.user), "Results accepted")


@admin.register(Attempt)
class AttemptAdmin(EngineRows):
    brand_path = "run__brand"
    list_display = ("run", "number", "outcome", "worker_label", "started_at", "ended_at", "exit_signal", "error")
    list_filter = ("outcome",)
    search_fields = ("=run__id",)
    search_help_text = "A run's number."
    ordering = ("-pk",)
    list_select_related = ("run",)


class OwnTypes(AllValuesFieldListFilter):
    """Django would list the types of all runs, also of brands that are not open."""

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str):
        super().__init__(field, request, params, model, model_admin, field_path)
        runs = Run.objects.filter(brands_for(request.user).q())
        self.lookup_choices = runs.order_by("job_type").values_list("job_type", flat=True).distinct()


@admin.register(Step)
class StepAdmin(EngineRows):
    brand_path = "run__brand"
    list_display = ("run", "name", "at")
    list_filter = (("run__job_type", OwnTypes),)
    search_fields = ("=run__id", "name")
    list_select_related = ("run",)


@admin.register(RunLog)
class RunLogAdmin(EngineRows):
    brand_path = "run__brand"
    list_display = ("run", "seq", "at", "level", "message")
    list_filter = ("level",)
    search_fields = ("=run__id",)
    search_help_text = "A run's number."
    ordering = ("-pk",)
    list_select_related = ("run",)


@admin.register(Event)
class EventAdmin(EngineRows):
    """Events of limits and accounts have no job, run or brand. Who is limited to some brands does not see them."""

    list_display = ("at", "kind", "message", "job", "run", "by")
    list_filter = ("kind",)
    search_fields = ("=run__id", "=job__id")
    search_help_text = "The number of a run or a job."
    list_select_related = ("job", "run", "by")

    def of_brands(self, rows: QuerySet[Event], brands: Brands) -> QuerySet[Event]:
        runs, jobs = Run.objects.filter(brands.q()), Job.objects.filter(brands.q())
        ours = Q(run__in=runs) | Q(run=None, job__in=jobs) | Q(brands.q(), brand__isnull=False)
        return rows.filter(ours)


@admin.register(Incident)
class IncidentAdmin(EngineRows):
    """Its words and counts are of all its runs: who may not see one of these does not see the incident here."""

    list_display = ("__str__", "job_type", "kind", "message", "count", "first_seen", "last_seen", "state", "resolved_by")
    list_filter = ("state", "kind")
    search_fields = ("=id", "message__alike", "note__alike")
    list_select_related = ("resolved_by",)

    def of_brands(self, rows: QuerySet[Incident], brands: Brands) -> QuerySet[Incident]:
        theirs = FailedRun.objects.filter(brands.q())
        return rows.filter(failed_runs__in=theirs).exclude(failed_runs__in=FailedRun.objects.exclude(brands.q())).distinct()


@admin.register(FailedRun)
class FailedRunAdmin(EngineRows):
    list_display = ("run", "incident", "brand", "times", "failed_at", "over_at", "held")
    list_filter = ("held", "brand")
    search_fields = ("=run__id", "=incident__id")
    list_select_related = ("run", "incident", "brand")


@admin.register(BulkAction)
class BulkActionAdmin(EngineRows):
    """Its words and counts are of all its runs: who may not see one of these does not see it here."""

    list_display = ("__str__", "kind", "words", "count", "cost", "requested_by", "created_at", "finished_at", "stopped")
    list_filter = ("kind",)
    search_fields = ("=id", "words__alike")
    list_select_related = ("requested_by",)

    def of_brands(self, rows: QuerySet[BulkAction], brands: Brands) -> QuerySet[BulkAction]:
        return rows.filter(pk__in=visible(brands))


@admin.register(BulkItem)
class BulkItemAdmin(EngineRows):
    list_display = ("number", "action", "brand", "was", "state", "message", "at")
    list_filter = ("state", "brand")
    search_fields = ("=number", "=action__id")
    search_help_text = "The number of a run or of a bulk action."
    list_select_related = ("action", "brand")


@admin.register(DayTally)
class DayTallyAdmin(EngineRows):
    list_display = ("day", "job_type", "brand", "good", "doubted", "failed", "seconds", "usd")
    list_filter = ("job_type", "brand")
    search_fields = ("job_type",)
    list_select_related = ("brand",)
