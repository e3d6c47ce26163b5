"""The classification of an account's ads: of those that are new, or whose words or our rules have changed."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from competitors.models import AdAccount, AdClassification, BrandAd
from competitors.reading.classification import VERSION, classify, words_key
from pipeline.contract import Context

AT_ONCE = 500
COLUMNS = ["format", "hook", "awareness", "words_key", "version", "classified_at"]


def classify_ads(ctx: Context, account: AdAccount) -> Counter[str]:
    found: Counter[str] = Counter()
    ads = iter(BrandAd.objects.filter(ad_account=account).select_related("classification").order_by("pk").iterator(AT_ONCE))
    while some := list(islice(ads, AT_ONCE)):
        ctx.check()
        new = list(_to_write(ctx, some))
        AdClassification.objects.bulk_create(new, update_conflicts=True, unique_fields=["brand_ad"], update_fields=COLUMNS)
        found.update(classified=len(new), known=len(some))
    return found


def _to_write(ctx: Context, ads: Iterable[BrandAd]) -> Iterable[AdClassification]:
    at = ctx.now()
    for ad in ads:
        key = words_key(ad.title, ad.body, ad.link_url, is_video=ad.is_video)
        known = getattr(ad, "classification", None)
        if known and (known.words_key, known.version) == (key, VERSION):
            continue
        kind = classify(ad.title, ad.body, ad.link_url, is_video=ad.is_video)
        told = {"format": kind.format, "hook": kind.hook, "awareness": kind.awareness}
        yield AdClassification(brand_ad=ad, **told, words_key=key, version=VERSION, classified_at=at)
