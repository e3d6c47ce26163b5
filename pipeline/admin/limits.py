"""What people set: brands, limits and pauses. Events record who changed a limit or pause, and when."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import QuerySet
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from .. import api
from ..contract.registry import all_types
from ..contract.source import known_sources, known_upstreams
from ..models import Brand, ConcurrencyLimit, Outage, Pause, Run
from ..people import Brands, brands_for
from .base import EngineRows, OfBrands, act_on_each

for unused in (Failure, OrmQ, Schedule, Success):  # these stay empty: runs are in the Run table
    if admin.site.is_registered(unused):
        admin.site.unregister(unused)


@admin.register(Brand)
class BrandAdmin(OfBrands):
    brand_path = "pk"
    list_display = ("name", "slug", "time_zone", "archived_at")
    search_fields = ("name__alike", "slug")
    list_filter = ("time_zone",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who is limited to some brands would not see the new one, and could find out which addresses others have."""
        return super().has_add_permission(request) and brands_for(request.user).every

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if brands_for(request.user).every else ("slug",)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {"slug": ("name",)} if brands_for(request.user).every else {}

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """A brand with runs is kept, with its costs. The page gives that reason, not a missing permission."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        kept = [
            f"{brand}: {runs} run{'' if runs == 1 else 's'}, kept with their costs. To stop scraping, archive the brand."
            for brand in objs
            if (runs := Run.objects.filter(brand=brand).count())
        ]
        return found, counts, set() if kept else lacking, [*protected, *kept]

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "time_zone" in form.changed_data:
            api.reschedule_brand(obj)


class ScopeForm(forms.ModelForm):
    """Type and account are chosen from lists: a mistyped one would silently limit nothing."""

    class Meta:
        # The limits' constraints have no code. Django would say "Constraint “limit_once_brand” is violated."
        error_messages = {NON_FIELD_ERRORS: {None: "This limit already exists. Change that one instead."}}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._choose("job_type", "Every type", ((one.name, one.label) for one in all_types()))
        # A limit counts paid runs; a pause also stops what costs nothing.
        accounts = known_upstreams() if isinstance(self.instance, Pause) else known_sources()
        self._choose("source", "None", ((one.name, one.label) for one in accounts))

    def _choose(self, name: str, nothing: str, choices: Iterable[tuple[str, str]]) -> None:
        if name not in self.fields:
            return
        known = dict(choices)
        if (now := getattr(self.instance, name)) and now not in known:
            known[now] = f"{now} (its code is gone)"
        old = self.fields[name]
        self.fields[name] = forms.ChoiceField(
            choices=[("", nothing), *known.items()], required=False, label=old.label, help_text=old.help_text
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("source") and (cleaned.get("job_type") or cleaned.get("brand")):
            self.add_error("source", "This counts for all of the account's runs. Leave type and brand empty.")
        if cleaned.get("max_memory_mb") is not None and not cleaned.get("source"):
            self.add_error("max_memory_mb", "Memory is counted per upstream account. Choose the account, or leave this empty.")
        return cleaned


class StopAdmin(OfBrands):
    """Base of the admins for limits and pauses. Each change is recorded as an event.

    Who is limited to some brands sees and sets those of these brands. The others are for all brands.
    """

    form = ScopeForm
    search_fields = ("job_type",)
    list_filter = ("job_type", "brand")

    def of_brands(self, rows: QuerySet[Any], brands: Brands) -> QuerySet[Any]:
        return rows.filter(brand__in=brands.rows())

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field and db_field.name == "brand":
            field.required = not brands_for(request.user).every
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        api.save_stop(obj, request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        api.remove_stop(obj, request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            api.remove_stop(obj, request.user)


@admin.register(ConcurrencyLimit)
class ConcurrencyLimitAdmin(StopAdmin):
    list_display = ("__str__", "job_type", "brand", "source", "max_running", "max_memory_mb")
    list_select_related = ("brand",)


@admin.register(Pause)
class PauseAdmin(StopAdmin):
    list_display = ("__str__", "reason", "by", "since", "until")
    list_select_related = ("brand", "by")
    readonly_fields = ("by", "since")


@admin.register(Outage)
class OutageAdmin(EngineRows):
    brand_path = ""
    list_display = ("__str__", "since", "probe_at", "ended_at", "ended_by")
    list_filter = ("job_type",)
    search_fields = ("job_type", "reason")
    actions = ("end_outage",)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("pipeline.change_pause") and brands_for(request.user).every

    @admin.action(description="End: schedules go on", permissions=["end"])
    def end_outage(self, request: HttpRequest, queryset: QuerySet[Outage]) -> None:
        act_on_each(request, queryset, lambda one: api.end_outage(one, request.user), "Ended")
