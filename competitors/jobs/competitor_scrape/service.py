"""The scrape of a competitor's ads: one paid actor run, its pages saved as ads, what it says of those that are gone, pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from competitors.models import AdMedia, Competitor, CompetitorAdLibrary
from competitors.models.ads import LONGEST_ABOUT
from competitors.steps.ad_media import store_softly
from competitors.steps.outcome import judge, require_success, with_unread
from competitors.upstream.ad_library import MaxAds, ad_order
from pipeline import queries
from pipeline.contract import Context, Done, PageResult, Subject, get_type
from pipeline.words.foreign import identity

from . import readings
from .landing import save_page

MAX_ADS = MaxAds(usual=500, most=2000)


@dataclass(frozen=True)
class Target:
    """The ads that a run is about. `library` is None for an address that is not on record."""

    competitor: Competitor
    url: str
    library: CompetitorAdLibrary | None

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Target":
        """Raises Competitor.DoesNotExist if the competitor was removed."""
        competitor = Competitor.objects.select_related("brand").get(pk=parameters["competitor_id"])
        url = str(parameters["ad_library_url"])
        return cls(competitor, url, CompetitorAdLibrary.objects.filter(competitor=competitor, url=url).first())

    @property
    def subject(self) -> Subject:
        name, about, closed = f"Ads of {self.competitor}", identity(self.url, LONGEST_ABOUT), self.competitor.closed
        if self.library:
            parameters = {"competitor_id": str(self.competitor.pk), "ad_library_url": self.url}
            return Subject(str(self.library.pk), name[:300], self.library.get_absolute_url(), about, closed, parameters)
        key = identity(f"{self.competitor.pk} {self.url}", LONGEST_ABOUT)
        return Subject(key, f"{name} (another address)"[:300], self.competitor.get_absolute_url(), about, closed)


def scrape_ads(ctx: Context, target: Target, max_ads: int, max_media: int) -> Done:
    """Scrape a competitor's ads and save them. Used on workers, which are free while it waits, and in legacy mode.

    Raises TransientError if the upstream's run failed, after saving what it had.
    """
    good_runs = queries.good_runs_of(ctx.run.job_type, ctx.run.brand_id, ctx.run.subject, ctx.run.about)
    price = queries.price_now(ctx.run.job_type).usd
    upstream = ctx.wait_for(ctx.start(ad_order(target.url, max_ads, good_runs, price)))
    fetched = upstream.finished_at or ctx.now()

    def land_page(items: list[Any], offset: int) -> PageResult:
        return save_page(target.competitor, target.url, items, offset, ctx.run, fetched)

    came = ctx.ingest(upstream, land_page)
    ctx.check()
    if not came.start["raw"]:  # then there was no page that said so
        readings.saw(target.competitor, target.url, ctx.run, fetched, [], is_first=True)
    require_success(upstream, came.run, "ad")
    known = queries.history(get_type(ctx.run.job_type), ctx.run.parameters, good_runs, but=ctx.run)
    done = judge(upstream, came, known, row="ad", empty_is_plausible=True)
    done = with_unread(done, {"no_start": "start dates", "no_text": "texts"}, of="The ad library")
    limit = MAX_ADS.of(upstream.run.parameters)  # of the run that paid: another one's, if this run uses its data
    readings.close(ctx.run, readings.why_not(upstream, came, limit, done))
    if not max_media:
        return done
    pictures = AdMedia.objects.filter(competitor_ad__competitor=target.competitor)
    return store_softly(ctx, pictures, max_media).added_to(done)
