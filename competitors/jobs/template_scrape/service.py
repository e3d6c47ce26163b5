"""The search for templates: one paid actor run, its pages saved as ads, their pictures and videos stored, candidates queued."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from competitors.models import AdMedia
from competitors.models.ads import LONGEST_ABOUT, list_label
from competitors.steps.ad_media import store_again, store_softly
from competitors.steps.outcome import judge, require_success, with_unread
from competitors.upstream.ad_library import MaxAds, ad_order
from pipeline import queries
from pipeline.contract import Context, Done, PageResult, Subject, get_type, rows_met
from pipeline.words import counted
from pipeline.words.foreign import identity

from . import candidates
from .landing import LEFT_OUT, save_page

MAX_ADS = MaxAds(usual=50, most=1000)
USUAL_FILL = Decimal(1)  # a search usually has more ads than are asked for
MOST_FILES = 2000  # pictures and videos that one run stores; the next one goes on
PICTURES, ALL = (AdMedia.Role.PICTURE,), (AdMedia.Role.PICTURE, AdMedia.Role.VIDEO, AdMedia.Role.POSTER)


@dataclass(frozen=True)
class Search:
    url: str
    max_ads: int
    images_only: bool
    auto_queue: bool

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Search":
        """An option that a run does not name is on."""
        on = {name: parameters.get(name, True) is not False for name in ("images_only", "auto_queue")}
        return cls(str(parameters["search_url"]), MAX_ADS.of(parameters), **on)

    @property
    def subject(self) -> Subject:
        return Subject(self.key, list_label(self.url)[:300], reverse("template_ingest"))

    @property
    def key(self) -> str:
        return identity(self.url, LONGEST_ABOUT)

    @property
    def roles(self) -> tuple[str, ...]:
        """What is stored of an ad."""
        return PICTURES if self.images_only else ALL


def find_templates(ctx: Context, search: Search) -> Done:
    """Search the ad library. Used on workers, which are free while it waits, and in legacy mode.

    Raises TransientError if the upstream's run failed, after saving what it had.
    """
    good_runs = queries.good_runs_of(ctx.run.job_type, ctx.run.brand_id, ctx.run.subject, ctx.run.about)
    price = queries.price_now(ctx.run.job_type).usd
    upstream = ctx.wait_for(ctx.start(ad_order(search.url, search.max_ads, good_runs, price, usual_fill=USUAL_FILL)))
    fetched = upstream.finished_at or ctx.now()

    def land_page(items: list[Any], offset: int) -> PageResult:
        return save_page(items, ctx.run, fetched, images_only=search.images_only)

    came = ctx.ingest(upstream, land_page)
    ctx.check()
    require_success(upstream, came.run, "ad")
    known = queries.history(get_type(ctx.run.job_type), ctx.run.parameters, good_runs, but=ctx.run)
    done = judge(upstream, came, known, row="ad", empty_is_plausible=True)
    done = with_unread(done, {"no_start": "start dates", "no_text": "texts"}, of="The ad library")
    done = _with_left_out(done)
    places = AdMedia.objects.filter(library_ad__last_run=ctx.run, role__in=search.roles)
    done = store_softly(ctx, places, MOST_FILES).added_to(done)
    return _with_candidates(done, ctx, search) if search.auto_queue else done


def try_again(ctx: Context, rows: "QuerySet[AdMedia]") -> Done:
    """Fetch one picture or video whose link is still good. It waits for review once it is stored: somebody asked for it."""
    done = store_again(ctx, rows)
    queued = candidates.queue_places(ctx.run, rows)
    return replace(done, summary=f"{done.summary} Queued for review.") if queued else done


def _with_left_out(done: Done) -> Done:
    videos = done.counts.get(LEFT_OUT, 0)
    if not videos:
        return done
    if not rows_met(done.counts):
        return replace(done, summary=f"{counted(videos, 'ad')} found, all with a video only, so they were left out.")
    return replace(done, summary=f"{done.summary} {counted(videos, 'ad')} with a video only left out.")


def _with_candidates(done: Done, ctx: Context, search: Search) -> Done:
    queued, variants = candidates.queue(ctx.run, search.roles)
    counts = {name: count for name, count in (("queued", queued), ("variants_left_out", variants)) if count}
    words = f"{queued:,} queued for review." if queued else ""
    return replace(done, counts={**done.counts, **counts}, summary=" ".join(filter(None, [done.summary, words])))
