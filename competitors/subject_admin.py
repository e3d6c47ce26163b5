"""What the admin of every model with scraped rows needs: a scrape of the selected ones, and no deletion under a live run."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import NestedObjects
from django.db import router
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from pipeline import queries
from pipeline.admin.base import OfBrands
from pipeline.words import counted

from .steps.subject_rows import live_runs
from .views.subjects import several
from .views.subjects.page import SubjectPage

ASK_ABOVE_USD = 10  # a selection that is expected to cost more is confirmed first


class UnlessLive(OfBrands):
    """Refuses to delete rows that a live run is scraping, and the rows above them. The admin shows them as protected."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        goes = NestedObjects(using=router.db_for_write(self.model))
        goes.collect(objs)
        rows = (row for of_model in goes.data.values() for row in of_model)
        for row, run in live_runs(rows):
            protected.append(format_html('{}: <a href="{}">run {}</a> is scraping it', row, run.get_absolute_url(), run.pk))
        return found, counts, lacking, protected


class ScrapesSelected(admin.ModelAdmin):
    """Adds the action that queues a scrape of each selected row. `page` says how."""

    page: ClassVar[SubjectPage[Any]]
    actions = ["scrape_selected"]

    def has_scrape_permission(self, request: HttpRequest) -> bool:
        """Named by the action below: without it the action is neither shown nor carried out."""
        return bool(request.user.has_perm(self.page.may_scrape))

    @admin.action(description="Scrape the selected %(verbose_name_plural)s", permissions=["scrape"])
    def scrape_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask first if that is expensive. Then say how many were queued, and why the others were not."""
        by_brand: dict[Any, list[Any]] = {}
        for row in queryset:
            by_brand.setdefault(row.brand.pk, []).append(row)
        if "confirmed" not in request.POST:
            cost, cap = self._cost(by_brand)
            if cost > ASK_ABOVE_USD:
                rows = [row for theirs in by_brand.values() for row in theirs]
                return self._ask(request, rows, cost, cap)
        words, level = several.queue(self.page, [row for theirs in by_brand.values() for row in theirs], request.user)
        self.message_user(request, words, level)
        return None

    def _cost(self, by_brand: dict[Any, list[Any]]) -> tuple[Decimal, Decimal]:
        """Expected and highest cost of all rows, USD."""
        cost = cap = Decimal(0)
        price = queries.price_now(self.page.job_type).usd
        for brand_id, rows in by_brand.items():
            good = queries.good_runs(self.page.job_type, brand_id, {self.page.key(row): self.page.about(row) for row in rows})
            for row in rows:
                if estimate := self.page.estimate(row, self.page.defaults(row), good[self.page.key(row)], price):
                    cost, cap = cost + estimate.cost_usd, cap + estimate.cap_usd
        return cost, cap

    def _ask(self, request: HttpRequest, rows: Sequence[Any], cost: Decimal, cap: Decimal) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{self.page.verb} of {counted(len(rows), self.page.noun)}?",
            "opts": self.model._meta,
            "rows": [(row.pk, self.page.label(row), row) for row in rows],
            "noun": self.page.noun,
            "cost": cost,
            "cap": cap,
        }
        return TemplateResponse(request, "competitors/admin_scrape.html", context)
