"""The page of one ad: all its figures over some days, whom it was shown to, each day, and its pictures."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from competitors.models import AdAccount, AdDay, AdDemographicDay, BrandAd
from competitors.views.access import get_brand
from pipeline.views.access import needs

from ..figures import charts, sums
from ..figures.ads import NOT_LISTED, Listed
from ..figures.days import in_order
from ..figures.rates import Figures, added, per
from ..figures.window import Window, day_in_words
from ..figures.words import count, money, percent, ratio
from .page import page
from .report.ad_filter import WindowFilter
from .report.cells import kind_in_words

ONLY_HERE = (
    "reach", "add_to_carts", "initiate_checkouts", "landing_page_views", "content_views", "video_plays", "video_p25", "video_p50",
    "video_p75", "video_p95", "video_p100", "video_seconds",
)  # fmt: skip
SUMMED = [name for name in ONLY_HERE if name not in ("reach", "video_seconds")]


@dataclass(frozen=True)
class OneDay:
    date: date
    figures: Figures
    more: dict[str, Any]
    tier: str


@require_safe
@needs(page.may_view, "competitors.view_brandad")
def ad(request: HttpRequest, brand: str, ad_id: str) -> HttpResponse:
    owner = get_brand(brand)
    account = _account(owner, ad_id)
    asked = WindowFilter([account], account, request.GET)
    listed = (
        BrandAd.objects.filter(ad_account=account, ad_id=ad_id).select_related("classification").prefetch_related("media__media")
    )
    shown = listed.first()
    rows = _days(account, ad_id, asked.window)
    inside = [row for row in rows if row.date >= asked.window.since]
    total, currency = added(row.figures for row in inside), account.currency
    days = in_order({row.date: row.figures for row in rows}, asked.window, asked.today)
    name = AdDay.objects.filter(ad_account=account, ad_id=ad_id).order_by("-date").values_list("ad_name", flat=True).first()
    context = {
        "brand": owner,
        "account": account,
        "ad": shown,
        "ad_id": ad_id,
        "name": (shown.name if shown else name) or f"Ad {ad_id}",
        "state": Listed(*(getattr(shown, field) for field in Listed._fields)).state(total.delivered) if shown else NOT_LISTED,
        "kind": kind_in_words(shown),
        "classification": getattr(shown, "classification", None),
        "filter": asked,
        "figures": _figures(total, inside, currency),
        "video": _video(total, inside) if total.video_views is not None or (shown and shown.is_video) else None,
        "charts": charts.three(days, total, asked.window, currency, compares=True),
        "day_rows": [_day(row, currency) for row in reversed(inside)],
        "tiers": sorted({row.tier for row in inside if row.tier}),
        "demographics": _demographics(account, ad_id, asked.window),
        "places": shown.media.all() if shown else [],
    }
    return render(request, "competitors/meta_sync/ad.html", context)


def _account(owner: Any, ad_id: str) -> AdAccount:
    """The brand's account that has this ad, listed or not."""
    of_ad = Q(ads__ad_id=ad_id) | Q(pk__in=AdDay.objects.filter(ad_account__brand=owner, ad_id=ad_id).values("ad_account"))
    account = AdAccount.objects.filter(of_ad, brand=owner).select_related("brand").first()
    if account is None:
        raise Http404
    return account


def _days(account: AdAccount, ad_id: str, window: Window) -> list[OneDay]:
    """Also of the period before."""
    rows = AdDay.objects.filter(ad_account=account, ad_id=ad_id, date__range=(window.before.since, window.until))
    return [
        OneDay(
            row.date,
            Figures(
                **{name: getattr(row, name) for name in sums.COLUMNS},
                video_impressions=row.impressions if row.video_views is not None else None,
            ),
            {name: getattr(row, name) for name in ONLY_HERE},
            row.get_purchase_tier_display() if row.purchase_tier else "",
        )
        for row in rows.order_by("date")
    ]


def _sum(rows: list[OneDay], name: str) -> Any:
    known = [row.more[name] for row in rows if row.more[name] is not None]
    return sum(known) if known else None


def _figures(total: Figures, rows: list[OneDay], currency: str) -> list[tuple[str, str]]:
    each = per(total.spend, total.purchases)
    return [
        ("Spend", money(total.spend, currency)),
        ("ROAS", ratio(total.roas)),
        ("Purchases", count(total.purchases)),
        ("Purchase value", money(total.purchase_value, currency)),
        ("Cost per purchase", money(each, currency)),
        ("Impressions", count(total.impressions)),
        ("CPM", money(total.cpm, currency)),
        ("All clicks", count(total.clicks)),
        ("Link clicks", count(total.link_clicks)),
        ("CTR", percent(total.ctr)),
        ("CPC", money(total.cpc, currency)),
        ("Landing page views", count(_sum(rows, "landing_page_views"))),
        ("Content views", count(_sum(rows, "content_views"))),
        ("Added to cart", count(_sum(rows, "add_to_carts"))),
        ("Checkouts started", count(_sum(rows, "initiate_checkouts"))),
    ]


def _video(total: Figures, rows: list[OneDay]) -> list[tuple[str, str]]:
    watched = [(f"Watched {part} %", count(_sum(rows, f"video_p{part}"))) for part in (25, 50, 75, 95, 100)]
    return [
        ("Plays", count(_sum(rows, "video_plays"))),
        ("3-second views", count(total.video_views)),
        ("Hook rate", percent(total.hook)),
        ("ThruPlays", count(total.video_thruplays)),
        ("Hold rate", percent(total.hold)),
        *watched,
    ]


def _day(row: OneDay, currency: str) -> dict[str, Any]:
    """Reach and frequency are of the day alone."""
    one, reach = row.figures, row.more["reach"]
    return {
        "name": day_in_words(row.date, year=True),
        "cells": [
            ("Spend", money(one.spend, currency)),
            ("Impressions", count(one.impressions)),
            ("Reach", count(reach)),
            ("Frequency", ratio(per(one.impressions, reach))),
            ("Link clicks", count(one.link_clicks)),
            ("CTR", percent(one.ctr)),
            ("Purchases", count(one.purchases)),
            ("Value", money(one.purchase_value, currency)),
            ("ROAS", ratio(one.roas)),
        ],
    }


def _demographics(account: AdAccount, ad_id: str, window: Window) -> list[dict[str, Any]]:
    found = sums.of_demographics(account, ad_id, window)
    return [
        {
            "label": kind.label,
            "parts": [
                {
                    "name": name,
                    "cells": [
                        ("Spend", money(one.spend, account.currency)),
                        ("Impressions", count(one.impressions)),
                        ("CTR", percent(one.ctr)),
                        ("Purchases", count(one.purchases)),
                        ("ROAS", ratio(one.roas)),
                    ],
                }
                for name, one in found[kind.value]
            ],
        }
        for kind in AdDemographicDay.Kind
        if kind.value in found
    ]
