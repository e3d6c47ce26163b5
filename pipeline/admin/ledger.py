from django.contrib import admin

from ..models import ActorPrice, DatasetStatus, MaxAge, RejectedItem, ScheduleRule, SourceState, UpstreamRun, Worker
from .base import EngineRows

# RawPage has no admin: what upstreams sent is private.


@admin.register(UpstreamRun)
class UpstreamRunAdmin(EngineRows):
    brand_path = "run__brand"
    list_display = (
        "__str__",
        "run",
        "actor",
        "intent",
        "status",
        "capped",
        "started_at",
        "finished_at",
        "cost_estimate",
        "cost_actual",
        "cost_settled",
    )
    list_filter = ("source", "status", "capped", "cost_settled", "actor")
    search_fields = ("=run__id", "=upstream_id", "=tag")
    search_help_text = "A run's number here, or the whole id of one upstream."
    ordering = ("-pk",)
    list_select_related = ("run",)


@admin.register(RejectedItem)
class RejectedItemAdmin(EngineRows):
    brand_path = "run__brand"
    list_display = ("run", "reason", "offset")
    list_filter = ("reason",)
    search_fields = ("=run__id", "reason__alike")
    list_select_related = ("run",)


@admin.register(MaxAge)
class MaxAgeAdmin(EngineRows):
    list_display = ("__str__", "max_age", "before", "at", "by")
    list_filter = ("dataset_key", "brand")
    search_fields = ("dataset_key",)
    list_select_related = ("brand", "by")


@admin.register(DatasetStatus)
class DatasetStatusAdmin(EngineRows):
    list_display = (
        "dataset_key",
        "brand",
        "subject",
        "last_status",
        "last_success_at",
        "last_attempt_at",
        "records_affected",
        "last_run",
    )
    list_filter = ("dataset_key", "last_status", "brand")
    search_fields = ("subject", "error_message__alike")
    list_select_related = ("brand", "last_run")


@admin.register(ActorPrice)
class ActorPriceAdmin(EngineRows):
    brand_path = ""
    list_display = ("__str__", "usd", "since", "next_usd", "next_from", "warning", "read_at")
    list_filter = ("source",)
    search_fields = ("actor",)


@admin.register(SourceState)
class SourceStateAdmin(EngineRows):
    brand_path = ""
    list_display = ("source", "slow_until", "blocked_until", "next_poll_at", "polled_at")
    search_fields = ("source",)


@admin.register(Worker)
class WorkerAdmin(EngineRows):
    brand_path = ""
    list_display = ("__str__", "kind", "started_at", "last_seen_at", "stopped_at")
    list_filter = ("kind", "host")
    search_fields = ("host", "=pid")
    date_hierarchy = "started_at"


@admin.register(ScheduleRule)
class ScheduleRuleAdmin(EngineRows):
    """Changed on the page Schedules, which keeps the subjects' schedules in step."""

    search_fields = ("job_type", "cadence", "=brand__slug")
    list_display = ("job_type", "brand", "cadence", "enabled", "every_subject", "changed_by", "changed_at")
    list_filter = ("job_type", "enabled", "brand")
    list_select_related = ("brand", "changed_by")
