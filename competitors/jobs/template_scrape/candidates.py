"""Queues pictures and videos for review: those of the ads that a run saw, once they are stored."""

from collections.abc import Iterable, Sequence

from django.db.models import F, QuerySet

from competitors.models import AdMedia, LibraryAd, MediaStatus, TemplateCandidate
from pipeline.models import Run

REVIEWED = {AdMedia.Role.PICTURE, AdMedia.Role.VIDEO}  # a still only stands for its video


def queue(run: Run, roles: Iterable[str]) -> tuple[int, int]:
    """How many candidates the run has queued so far, and how many ads are left out as variants of one that is queued.

    Of each group of variants the first ad is queued, or another one where the first has nothing that is stored.
    """
    ads = list(LibraryAd.objects.filter(last_run=run).order_by(F("position").asc(nulls_last=True), "pk"))
    stored = _stored(ads, roles)
    leads, variants = [ad for ad in ads if is_lead(ad)], [ad for ad in ads if not is_lead(ad)]
    chosen = [ad for ad in leads if ad.pk in stored]
    queued = dict(_queued(variants))  # ad -> its group
    groups, left_out = {*queued.values(), *(ad.collation_id for ad in chosen)}, 0
    for ad in variants:
        if ad.collation_id in groups and ad.pk not in queued:
            left_out += 1
        elif ad.pk in stored:
            groups.add(ad.collation_id)
            chosen.append(ad)
    new = [TemplateCandidate(library_ad=ad, media_id=media, found_by=run) for ad in chosen for media in stored[ad.pk]]
    TemplateCandidate.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)  # each once, whatever was decided
    return TemplateCandidate.objects.filter(found_by=run).count(), left_out


def queue_places(run: Run, places: "QuerySet[AdMedia]") -> int:
    """Those of the places that are stored. How many the run has queued."""
    stored = places.filter(status=MediaStatus.STORED, role__in=REVIEWED)
    new = [TemplateCandidate(library_ad=place.library_ad, media=place.media, found_by=run) for place in stored if place.media]
    TemplateCandidate.objects.bulk_create(new, ignore_conflicts=True)
    return TemplateCandidate.objects.filter(found_by=run).count()


def files_of_ads() -> "QuerySet[AdMedia]":
    """The pictures and videos of the ads that searches found."""
    return AdMedia.objects.filter(library_ad__isnull=False).select_related("library_ad", "media")


def is_lead(ad: LibraryAd) -> bool:
    """Only the first ad of a group tells how many variants it has."""
    return bool(ad.variants) or not ad.collation_id


def _stored(ads: Sequence[LibraryAd], roles: Iterable[str]) -> dict[int, list[int]]:
    """By ad, its stored media in the order in which it shows them, each once."""
    shown = REVIEWED & set(roles)
    places = AdMedia.objects.filter(library_ad__in=[ad.pk for ad in ads], status=MediaStatus.STORED, role__in=shown)
    found: dict[int, list[int]] = {}
    for ad, media in places.order_by("position", "pk").values_list("library_ad_id", "media_id"):
        if ad and media and media not in (known := found.setdefault(ad, [])):
            known.append(media)
    return found


def _queued(variants: Sequence[LibraryAd]) -> Iterable[tuple[int, str]]:
    """Ads that have a candidate already, of the variants' groups, each with its group."""
    rows = TemplateCandidate.objects.filter(library_ad__collation_id__in={ad.collation_id for ad in variants})
    return rows.values_list("library_ad", "library_ad__collation_id")
