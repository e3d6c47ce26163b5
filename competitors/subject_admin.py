"""What the admin of models with scraped rows needs: a scrape of the selected ones, and no deletion under a live run."""

from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import NestedObjects
from django.db import router, transaction
from django.db.models import QuerySet
from django.forms import MediaDefiningClass
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from pipeline import queries
from pipeline.admin.base import OfBrands
from pipeline.words import counted

from .steps import settings
from .steps.subject_rows import live_runs
from .views.subjects import several
from .views.subjects.page import SubjectPage

ASK_ABOVE_USD = 10  # a selection that is expected to cost more is confirmed first


class UnlessLive(OfBrands):
    """Refuses to delete rows that a live run is scraping, and the rows above them. The admin shows them as protected.

    What it saves and deletes is recorded for the page of the subject.
    """

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        settings.save(obj, request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            settings.record([obj], "Removed", request.user)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            settings.record(queryset, "Removed", request.user)
            super().delete_queryset(request, queryset)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        goes = NestedObjects(using=router.db_for_write(self.model))
        goes.collect(objs)
        rows = (row for of_model in goes.data.values() for row in of_model)
        for row, run in live_runs(rows):
            protected.append(format_html('{}: <a href="{}">run {}</a> is scraping it', row, run.get_absolute_url(), run.pk))
        return found, counts, lacking, protected


class _AdminMeta(ABCMeta, MediaDefiningClass):
    """Lets an admin have abstract methods: one that lacks them cannot be registered."""


class ScrapesSelected(admin.ModelAdmin, metaclass=_AdminMeta):
    """Adds the action that queues a scrape of each selected row. A subclass says what that is and costs."""

    may_scrape: ClassVar[str]  # permission
    verb: ClassVar[str]  # "Scrape reviews"
    noun: ClassVar[str]  # "listing"
    actions = ["scrape_selected"]

    @abstractmethod
    def cost_of(self, rows: Sequence[Any]) -> tuple[Decimal, Decimal]:
        """Expected and highest cost of all rows, USD."""

    @abstractmethod
    def queue(self, rows: Sequence[Any], user: Any) -> tuple[str, int]:
        """Queue them. Returns what became of them, and the message's level."""

    def label(self, row: Any) -> str:
        return str(row)

    def has_scrape_permission(self, request: HttpRequest) -> bool:
        """Named by the action below: without it the action is neither shown nor carried out."""
        return bool(request.user.has_perm(self.may_scrape))

    @admin.action(description="Scrape the selected %(verbose_name_plural)s", permissions=["scrape"])
    def scrape_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask first if that is expensive. Then say how many were queued, and why the others were not."""
        rows = list(queryset)
        if "confirmed" not in request.POST:
            cost, cap = self.cost_of(rows)
            if cost > ASK_ABOVE_USD:
                return self._ask(request, rows, cost, cap)
        words, level = self.queue(rows, request.user)
        self.message_user(request, words, level)
        return None

    def _ask(self, request: HttpRequest, rows: Sequence[Any], cost: Decimal, cap: Decimal) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{self.verb} of {counted(len(rows), self.noun)}?",
            "opts": self.model._meta,
            "rows": [(row.pk, self.label(row), row) for row in rows],
            "noun": self.noun,
            "cost": cost,
            "cap": cap,
        }
        return TemplateResponse(request, "competitors/admin_scrape.html", context)


class ScrapesSubjects(ScrapesSelected):
    """For rows that are subjects: `page`, where they stand, says how they are scraped."""

    page: ClassVar[SubjectPage[Any]]

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        cls.may_scrape, cls.verb, cls.noun = cls.page.may_scrape, cls.page.verb, cls.page.noun

    def label(self, row: Any) -> str:
        return self.page.label(row)

    def queue(self, rows: Sequence[Any], user: Any) -> tuple[str, int]:
        return several.queue(self.page, rows, user)

    def cost_of(self, rows: Sequence[Any]) -> tuple[Decimal, Decimal]:
        by_brand: dict[Any, list[Any]] = {}
        for row in rows:
            by_brand.setdefault(row.brand.pk, []).append(row)
        cost = cap = Decimal(0)
        price = queries.price_now(self.page.job_type).usd
        for brand_id, theirs in by_brand.items():
            good = queries.good_runs(self.page.job_type, brand_id, {self.page.key(row): self.page.about(row) for row in theirs})
            for row in theirs:
                if estimate := self.page.estimate(row, self.page.defaults(row), good[self.page.key(row)], price):
                    cost, cap = cost + estimate.cost_usd, cap + estimate.cap_usd
        return cost, cap
