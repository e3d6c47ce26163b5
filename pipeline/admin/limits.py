from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from ..models import Brand, ConcurrencyLimit, Pause

for unused in (Failure, OrmQ, Schedule, Success):  # django-q2 keeps nothing here: runs are the Run table
    if admin.site.is_registered(unused):
        admin.site.unregister(unused)


@admin.register(Brand)
class BrandAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "time_zone")
    search_fields = ("name", "slug")
    list_filter = ("time_zone",)
    prepopulated_fields = {"slug": ("name",)}


@admin.register(ConcurrencyLimit)
class ConcurrencyLimitAdmin(admin.ModelAdmin):
    list_display = ("__str__", "job_type", "brand", "max_running")
    list_filter = ("job_type", "brand")
    search_fields = ("job_type",)


@admin.register(Pause)
class PauseAdmin(admin.ModelAdmin):
    list_display = ("__str__", "by", "since")
    list_filter = ("job_type", "brand")
    search_fields = ("job_type",)
    readonly_fields = ("by", "since")

    def save_model(self, request: HttpRequest, obj: Pause, form: Any, change: bool) -> None:
        obj.by = obj.by or request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
