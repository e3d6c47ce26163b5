"""The Amazon tab of a competitor: a panel per listing."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from competitors.models import CompetitorAmazonUrl
from competitors.views.access import get_competitor
from competitors.views.subjects.page import Cell, SubjectPage
from pipeline.contract import Estimate
from pipeline.models import Run
from pipeline.queries import GoodRun

from .. import order
from ..job import NAME, scrape_parameters
from ..sweeps import SweepOptions
from .forms import AmazonUrlForm
from .stars import StarSpread, star_spreads


class AmazonTab(SubjectPage[CompetitorAmazonUrl]):
    job_type = NAME
    url_name, tab = "amazon", "Amazon"
    templates = "competitors/amazon_review_scrape"
    may_view = "competitors.view_competitoramazonurl"
    may_scrape = "competitors.scrape_competitoramazonurl"
    work, verb, noun = "Review scrape", "Scrape reviews", "listing"
    columns = ("Reviews",)

    def place(self, address: Mapping[str, Any]) -> dict[str, Any]:
        found = get_competitor(**address)
        return {"competitor": found, "brand": found.brand}

    def rows(self, place: Mapping[str, Any]) -> QuerySet[CompetitorAmazonUrl]:
        return CompetitorAmazonUrl.objects.filter(competitor=place["competitor"]).select_related("competitor__brand")

    def parameters(self, row: CompetitorAmazonUrl) -> dict[str, Any]:
        return scrape_parameters(row)

    def estimate(
        self, row: CompetitorAmazonUrl, parameters: Mapping[str, Any], good_runs: Sequence[GoodRun], price: Decimal
    ) -> Estimate:
        return order.estimate(row, SweepOptions.of(parameters), good_runs, price)

    def reuse_key(self, row: CompetitorAmazonUrl) -> str:
        return row.about

    def facts(self, rows: Sequence[CompetitorAmazonUrl]) -> dict[str, StarSpread]:
        spreads = star_spreads(rows)
        return {self.key(row): spreads[row.asin, row.domain_code] for row in rows}

    def cells(self, row: CompetitorAmazonUrl, facts: StarSpread, user: Any) -> list[Cell]:
        may_read = facts.saved and user.has_perm("competitors.view_amazonreview")
        return [Cell(f"{facts.saved:,}", url=row.reviews_url() if may_read else "", of=f"reviews of {row.label}")]

    def brought_url(self, row: CompetitorAmazonUrl, run: Run) -> str:
        return f"{row.reviews_url()}?run={run.pk}"

    def more(self, place: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        saved = sum(spread.saved for spread in facts.values())
        return {"saved": saved, "form": AmazonUrlForm(competitor=place["competitor"], auto_id="add_%s")}

    def nothing_yet(self, facts: StarSpread) -> tuple[str, str]:
        if facts.saved:
            return "No runs yet.", "These reviews are saved from an earlier scrape of the same product."
        return "No reviews yet.", "Press Scrape to fetch them. You can close this page meanwhile; the run shows up here."

    def label(self, row: CompetitorAmazonUrl) -> str:
        return row.label

    def below(self, row: CompetitorAmazonUrl) -> str:
        return f"{row.asin} · amazon.{row.domain_code}" if row.product_title else f"amazon.{row.domain_code}"

    def about(self, row: CompetitorAmazonUrl) -> str:
        return row.about

    def anchor(self, row: CompetitorAmazonUrl) -> str:
        return row.anchor


tab = AmazonTab()
