"""What scrapes of one address say of ads that are gone. Only complete readings are compared.

An ad that a complete reading lacks is *not seen since*. It is *inactive* when two complete readings of the same address lack it
that are ADS_INACTIVE_AFTER_HOURS apart: the library drops thousands of ads between two readings and brings them back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from competitors.models import AdReading, Competitor, CompetitorAd, LandingPage
from pipeline.contract import Done, Ingested
from pipeline.models import Run, UpstreamRun
from pipeline.states import Verdict

CHECK_FIRST = "The result has to be checked first."
NOT_OVER = "The scrape did not end well."
LOOK_BACK = 30  # readings of an address whose ads are known to have been there
CHUNK = 500  # rows of one update
Status = CompetitorAd.Status


@dataclass(frozen=True)
class Difference:
    """Ids of ads: what the last complete reading has that the one before lacks, and the other way round."""

    since: datetime
    new: list[str]
    vanished: list[str]


def locked(competitor: Competitor) -> None:
    """Two scrapes of one competitor write its ads one after the other. In the caller's transaction."""
    Competitor.objects.select_for_update(no_key=True).get(pk=competitor.pk)


def saw(competitor: Competitor, url: str, run: Run, read_at: datetime, ads: Iterable[str], *, is_first: bool) -> None:
    """Add the ads of one page. The first page of a start begins anew: what an earlier, failed one saw is not counted."""
    known = {"competitor": competitor, "url": url, "read_at": read_at, "why_not": NOT_OVER}
    reading, _ = AdReading.objects.get_or_create(run=run, defaults=known)
    before = [] if is_first else reading.ads
    if is_first:
        reading.complete, reading.why_not, reading.counts, reading.read_at = False, NOT_OVER, {}, read_at
    reading.ads = list(dict.fromkeys([*before, *ads]))
    reading.save()


def why_not(upstream: UpstreamRun, came: Ingested, max_ads: int, done: Done) -> str:
    """Why the reading does not show all ads of its address; '' where it does."""
    if done.verdict == Verdict.PARTIAL:
        return done.reason
    if upstream.capped or came.start["raw"] >= max_ads:
        return f"It reached its limit of {max_ads:,} ads. Raise max ads to notice ads that ended."
    return "" if done.verdict == Verdict.OK else CHECK_FIRST


def close(run: Run, why_not: str) -> None:
    """The run's reading is over. If it is complete, ads that it lacks are marked."""
    with transaction.atomic():
        reading = AdReading.objects.select_related("competitor").get(run=run)
        locked(reading.competitor)
        reading.complete, reading.why_not = not why_not, why_not
        reading.counts = {"ads": len(reading.ads)}
        reading.save()
        if reading.complete and not _complete(reading).filter(read_at__gt=reading.read_at).exists():
            _mark_absent(reading)
            if difference := compare(reading.competitor, reading.url):
                reading.counts |= {"new": len(difference.new), "vanished": len(difference.vanished)}
                reading.save(update_fields=["counts"])
        _count_landing_pages(reading.competitor)


def accept(run: Run) -> None:
    """A person found the result right, or nobody doubted it."""
    if AdReading.objects.filter(run=run, why_not=CHECK_FIRST).exists():
        close(run, "")


def compare(competitor: Competitor, url: str) -> Difference | None:
    """The last two complete readings of the address; None if there are not two."""
    return next(iter(differences(competitor, [url])), None)


def differences(competitor: Competitor, urls: Iterable[str]) -> list[Difference]:
    """Of each address that has two complete readings, in one query for all of them."""
    newest = Window(RowNumber(), partition_by="url", order_by=[F("read_at").desc(), F("pk").desc()])
    complete = AdReading.objects.filter(competitor=competitor, url__in=urls, complete=True)
    pairs: dict[str, list[AdReading]] = {}
    for reading in complete.annotate(place=newest).filter(place__lte=2).order_by("place"):
        pairs.setdefault(reading.url, []).append(reading)
    return [_difference(*pair) for pair in pairs.values() if len(pair) == 2]


def _difference(last: AdReading, before: AdReading) -> Difference:
    has, had = set(last.ads), set(before.ads)
    return Difference(before.read_at, [ad for ad in last.ads if ad not in had], [ad for ad in before.ads if ad not in has])


def _complete(reading: AdReading) -> QuerySet[AdReading]:
    """The other complete readings of its address."""
    return AdReading.objects.filter(competitor=reading.competitor, url=reading.url, complete=True).exclude(pk=reading.pk)


def _mark_absent(reading: AdReading) -> None:
    """Mark the ads that the address has shown and that this reading lacks."""
    older = AdReading.objects.filter(competitor=reading.competitor, url=reading.url, read_at__lt=reading.read_at)
    shown = {ad for ads in older.values_list("ads", flat=True)[:LOOK_BACK] for ad in ads} - set(reading.ads)
    apart = reading.read_at - timedelta(hours=settings.ADS_INACTIVE_AFTER_HOURS)
    # If it is from after an ad was last seen, it lacks the ad too.
    first_without = _complete(reading).filter(read_at__lte=apart).values_list("read_at", flat=True).first()
    absent = CompetitorAd.objects.filter(competitor=reading.competitor, last_seen_at__lt=reading.read_at)
    gone: list[int] = []
    missing: list[int] = []
    rows = absent.exclude(status=Status.INACTIVE).order_by().values_list("pk", "ad_archive_id", "last_seen_at")
    for pk, ad, last_seen_at in rows:
        if ad in shown:
            (gone if first_without and last_seen_at < first_without else missing).append(pk)
    for pks, status in ((gone, Status.INACTIVE), (missing, Status.NOT_SEEN)):
        for start in range(0, len(pks), CHUNK):
            CompetitorAd.objects.filter(pk__in=pks[start : start + CHUNK]).update(status=status)


def _count_landing_pages(competitor: Competitor) -> None:
    """Each page's number of active ads."""
    active = (
        CompetitorAd.objects.filter(competitor=competitor, status=Status.ACTIVE, landing_page__isnull=False)
        .order_by()
        .values("landing_page")
    )
    counts = dict(active.annotate(ads=Count("pk")).values_list("landing_page", "ads"))
    pages = list(LandingPage.objects.filter(competitor=competitor))
    changed = [page for page in pages if page.active_ads != counts.get(page.pk, 0)]
    for page in changed:
        page.active_ads = counts.get(page.pk, 0)
    LandingPage.objects.bulk_update(changed, ["active_ads"], batch_size=CHUNK)
