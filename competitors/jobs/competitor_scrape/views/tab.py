"""The Ads tab of a competitor: a row per address of the ad library."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from competitors.models import AdReading, CompetitorAd, CompetitorAdLibrary
from competitors.upstream import ad_library
from competitors.views.access import get_competitor
from competitors.views.subjects.page import Cell, SubjectPage
from pipeline.contract import Estimate
from pipeline.queries import GoodRun

from ..job import NAME
from ..service import MAX_ADS
from .ads import card, with_pictures
from .forms import LibraryForm

LONGEST_RUNNING = 8


class AdsTab(SubjectPage[CompetitorAdLibrary]):
    job_type = NAME
    url_name, tab = "ads", "Ads"
    templates = "competitors/competitor_scrape"
    may_view = "competitors.view_competitoradlibrary"
    may_scrape = "competitors.scrape_competitoradlibrary"
    work, verb, noun = "Ad scrape", "Scrape ads", "ad list"
    columns = ("Ads",)

    def place(self, address: Mapping[str, Any]) -> dict[str, Any]:
        found = get_competitor(**address)
        return {"competitor": found, "brand": found.brand}

    def rows(self, place: Mapping[str, Any]) -> QuerySet[CompetitorAdLibrary]:
        return CompetitorAdLibrary.objects.filter(competitor=place["competitor"]).select_related("competitor__brand")

    def parameters(self, row: CompetitorAdLibrary) -> dict[str, Any]:
        return {"competitor_id": str(row.competitor_id), "ad_library_url": row.url}

    def estimate(
        self, row: CompetitorAdLibrary, parameters: Mapping[str, Any], good_runs: Sequence[GoodRun], price: Decimal
    ) -> Estimate:
        return ad_library.estimate(row.url, MAX_ADS.of(parameters), good_runs, price)

    def reuse_key(self, row: CompetitorAdLibrary) -> str:
        return row.url

    def facts(self, rows: Sequence[CompetitorAdLibrary]) -> dict[str, AdReading]:
        """Each row's last reading."""
        newest = Window(RowNumber(), partition_by=[F("competitor"), F("url")], order_by=[F("read_at").desc(), F("pk").desc()])
        of_rows = Q(competitor__in={row.competitor_id for row in rows}, url__in={row.url for row in rows})
        readings = AdReading.objects.filter(of_rows).defer("ads").annotate(place=newest).filter(place=1)
        found = {(reading.competitor_id, reading.url): reading for reading in readings}
        return {self.key(row): found[row.competitor_id, row.url] for row in rows if (row.competitor_id, row.url) in found}

    def cells(self, row: CompetitorAdLibrary, facts: AdReading | None, user: Any) -> list[Cell]:
        return [Cell(f"{facts.counts.get('ads', 0):,}" if facts else "0", of=f"ads in the last reading of {row.label}")]

    def more(self, place: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        ads = CompetitorAd.objects.filter(competitor=place["competitor"])
        counts = ads.aggregate(saved=Count("pk"), active=Count("pk", filter=Q(status=CompetitorAd.Status.ACTIVE)))
        longest = with_pictures(ads.filter(status=CompetitorAd.Status.ACTIVE, started_on__isnull=False))[:LONGEST_RUNNING]
        today = timezone.localdate()
        cards = SimpleLazyObject(lambda: [card(ad, today) for ad in longest])  # a live update does not show them
        return counts | {"form": LibraryForm(competitor=place["competitor"], auto_id="add_%s"), "cards": cards}

    def nothing_yet(self, facts: AdReading | None) -> tuple[str, str]:
        return "No ads yet.", "Press Scrape to fetch them. You can close this page meanwhile; the run shows up here."

    def label(self, row: CompetitorAdLibrary) -> str:
        return row.label

    def about(self, row: CompetitorAdLibrary) -> str:
        return row.about

    def anchor(self, row: CompetitorAdLibrary) -> str:
        return row.anchor


tab = AdsTab()
