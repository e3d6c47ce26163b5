"""Rows of ad performance that tests start with."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from competitors.jobs.meta_sync.sync.months import add_up
from competitors.models import AccountDay, AdAccount, AdDay, AdDemographicDay, BrandAd
from pipeline.models import Brand
from tests.factories import make_brand


def make_account(brand: Brand | None = None, account_id: str = "act_1029384756", **fields: Any) -> AdAccount:
    known = {"name": "Northpaw US", "currency": "USD", "time_zone": "America/Los_Angeles", "attribution_setting": "7-day click"}
    times = {"token_state": "valid", "last_synced_at": timezone.now()}
    return AdAccount.objects.create(brand=brand or make_brand(), account_id=account_id, **known | times | fields)


def make_brand_ad(account: AdAccount, ad_id: str = "120200001", **fields: Any) -> BrandAd:
    at = timezone.now()
    known = {"name": f"Calm evening {ad_id}", "status": "ACTIVE", "first_seen_at": at, "last_seen_at": at}
    return BrandAd.objects.create(ad_account=account, ad_id=ad_id, **known | fields)


def make_ad_day(account: AdAccount, ad_id: str, day: date, spend: str | None = "10.00", **fields: Any) -> AdDay:
    known = {"spend": spend and Decimal(spend), "impressions": 1000, "link_clicks": 20, "last_read_at": timezone.now()}
    row = AdDay.objects.create(ad_account=account, ad_id=ad_id, date=day, **known | fields)
    add_up(account, [(ad_id, day)])
    return row


def make_account_day(account: AdAccount, day: date, spend: str | None = "10.00", **fields: Any) -> AccountDay:
    known = {"spend": spend and Decimal(spend), "impressions": 1000, "link_clicks": 20, "last_read_at": timezone.now()}
    return AccountDay.objects.create(ad_account=account, date=day, **known | fields)


def make_demographic_day(account: AdAccount, ad_id: str, day: date, breakdown: str, **fields: Any) -> AdDemographicDay:
    known = {"kind": "age_gender", "spend": Decimal("4.00"), "impressions": 400, "last_read_at": timezone.now()}
    return AdDemographicDay.objects.create(ad_account=account, ad_id=ad_id, date=day, breakdown=breakdown, **known | fields)


def days_back(last: date, count: int) -> list[date]:
    """The days up to that one, newest first."""
    return [last - timedelta(days=number) for number in range(count)]
