"""What the search in the bar finds of brands, competitors and what is scraped for them.

All but ads are small tables. An ad is found by its id, or by the name of the page that it is shown by.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Length
from django.urls import reverse
from django.utils.http import urlencode

from pipeline.contract import Found, FoundGroup, register_search
from pipeline.models import Brand
from pipeline.people import brands_for
from pipeline.words.search import folded

from ..models import (
    AdAccount,
    AdPage,
    BrandAd,
    Competitor,
    CompetitorAd,
    CompetitorAmazonUrl,
    LandingPage,
    Persona,
    RedditResearch,
    TemplateCandidate,
)

READ = 9  # one more than the page shows, which tells whether there are more


def _of_brand(row: Any) -> str:
    return str(row.brand)


def _of_competitor(row: Any) -> str:
    return f"{row.competitor}, {row.competitor.brand}"


def _in_ads(competitor: Competitor, **query: Any) -> str:
    return f"{reverse('ad_list', args=[competitor.brand.slug, competitor.pk])}?{urlencode(query)}"


@dataclass(frozen=True)
class Kind:
    """Rows of one model. `parts`: lookups of which one finds what is asked for. `names`: columns that name a row exactly."""

    label: str
    model: type[Model]
    brand: str  # path to the brand; "" for what is of no brand
    parts: tuple[str, ...]
    names: tuple[str, ...]
    url: Callable[[Any], str]
    title: Callable[[Any], str] = str
    whose: Callable[[Any], str] = lambda row: ""
    all_at: str = ""  # the name of the address of all
    with_a: str = ""  # only such words are looked for
    opens: bool = True  # at once, if it alone is named just so

    def group(self, user: Any, words: str) -> FoundGroup:
        rows = self._rows(user, words)[:READ] if self.with_a in words and self._may_see(user) else []
        found = [
            Found(self.title(row), self.url(row), self.whose(row), self.opens and self._is_named(row, words)) for row in rows
        ]
        return FoundGroup(self.label, found, reverse(self.all_at) if self.all_at else "")

    def _may_see(self, user: Any) -> bool:
        of_model = f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"
        return user.has_perm(of_model) and (self.brand != "" or None in brands_for(user))

    def _rows(self, user: Any, words: str) -> "QuerySet[Any]":
        """What is named just so is the shortest of what has it in its name."""
        wanted = reduce(or_, (Q(**{lookup: words}) for lookup in self.parts))
        rows = self.model._default_manager.filter(wanted, brands_for(user).q(self.brand) if self.brand else Q())
        owner = [self.brand] if "brand" in self.brand else []
        return rows.select_related(*owner).order_by(Length(self.names[0]), self.names[0])

    def _is_named(self, row: Any, words: str) -> bool:
        return any(folded(str(getattr(row, name, ""))) == folded(words) for name in self.names)


KINDS = (
    Kind(
        "Brands",
        Brand,
        "pk",
        ("name__alike",),
        ("name",),
        lambda row: reverse("brand_competitors", args=[row.slug]),
        all_at="competitors",
    ),
    Kind(
        "Competitors",
        Competitor,
        "brand",
        ("name__alike",),
        ("name",),
        Competitor.get_absolute_url,
        whose=_of_brand,
        all_at="competitors",
    ),
    Kind(
        "Products",
        CompetitorAmazonUrl,
        "competitor__brand",
        ("asin__istartswith", "product_title__icontains"),
        ("asin",),
        CompetitorAmazonUrl.get_absolute_url,
        lambda row: f"{row} {row.product_title}",
        _of_competitor,
    ),
    Kind(
        "Ads of competitors",
        CompetitorAd,
        "competitor__brand",
        ("ad_archive_id",),
        ("ad_archive_id",),
        lambda row: _in_ads(row.competitor, q=row.ad_archive_id),
        whose=_of_competitor,
    ),
    Kind(
        "Pages that advertise",
        AdPage,
        "competitor__brand",
        ("name__alike",),
        ("name",),
        lambda row: _in_ads(row.competitor, q=row.name),
        whose=_of_competitor,
        opens=False,  # most are named as their competitor is
    ),
    Kind(
        "Landing pages",
        LandingPage,
        "competitor__brand",
        ("host__icontains",),
        ("host",),
        lambda row: _in_ads(row.competitor, landing=row.pk),
        whose=_of_competitor,
        with_a=".",
    ),
    Kind(
        "Ads of your accounts",
        BrandAd,
        "ad_account__brand",
        ("ad_id",),
        ("ad_id",),
        lambda row: reverse("performance_ad", args=[row.ad_account.brand.slug, row.ad_id]),
        whose=lambda row: f"{row.ad_account}, {row.ad_account.brand}",
    ),
    Kind(
        "Ad accounts",
        AdAccount,
        "brand",
        ("account_id__icontains", "name__alike"),
        ("name", "account_id"),
        AdAccount.performance_url,
        whose=_of_brand,
        all_at="performance_brands",
    ),
    Kind(
        "Templates",
        TemplateCandidate,
        "",
        ("name__icontains", "library_ad__ad_archive_id"),
        ("name",),
        TemplateCandidate.get_absolute_url,
        all_at="template_library",
    ),
    Kind(
        "Reddit researches",
        RedditResearch,
        "brand",
        ("name__alike",),
        ("name",),
        RedditResearch.get_absolute_url,
        whose=_of_brand,
        all_at="reddit_brands",
    ),
    Kind(
        "Personas",
        Persona,
        "brand",
        ("name__alike",),
        ("name",),
        lambda row: reverse("persona", args=[row.brand.slug, row.pk]),
        whose=_of_brand,
        all_at="reddit_brands",
    ),
)


@register_search
def named(user: Any, words: str) -> Iterator[FoundGroup]:
    return (kind.group(user, words) for kind in KINDS)
