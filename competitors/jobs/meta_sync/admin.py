"""Figures of ads in the stock admin. They come from Meta alone, so they are read-only here."""

from django.contrib import admin

from competitors.models import AccountDay, AdClassification, AdDay, AdDemographicDay, AdGap, AdMonth
from pipeline.admin.base import EngineRows


class OfAccounts(EngineRows):
    brand_path = "ad_account__brand"
    ordering = ["-pk"]  # by an index, however many there are
    list_select_related = ["ad_account"]
    raw_id_fields = ["last_run", "ad_account"]


@admin.register(AdDay)
class AdDayAdmin(OfAccounts):
    list_display = ["date", "ad_id", "ad_name", "ad_account", "spend", "impressions", "purchases", "purchase_value"]
    search_fields = ["=ad_id"]  # names in 365,000 rows take seconds
    search_help_text = "The whole id of an ad."


@admin.register(AdMonth)
class AdMonthAdmin(OfAccounts):
    list_display = ["month", "ad_id", "ad_account", "days", "spend", "impressions", "purchases", "purchase_value"]
    search_fields = ["=ad_id"]
    search_help_text = "The whole id of an ad."
    raw_id_fields = ["ad_account"]


@admin.register(AccountDay)
class AccountDayAdmin(OfAccounts):
    list_display = ["date", "ad_account", "spend", "impressions", "purchases", "purchase_value"]
    search_fields = ["ad_account__account_id", "ad_account__name__alike"]


@admin.register(AdDemographicDay)
class AdDemographicDayAdmin(OfAccounts):
    list_display = ["date", "ad_id", "ad_account", "kind", "breakdown", "spend", "impressions"]
    list_filter = ["kind"]
    search_fields = ["=ad_id"]
    search_help_text = "The whole id of an ad."


@admin.register(AdGap)
class AdGapAdmin(OfAccounts):
    list_display = ["what", "ad_account", "part", "since", "reason"]
    list_filter = ["part"]
    search_fields = ["what", "ad_account__account_id"]
    raw_id_fields = ["run", "ad_account"]


@admin.register(AdClassification)
class AdClassificationAdmin(EngineRows):
    brand_path = "brand_ad__ad_account__brand"
    list_display = ["brand_ad", "format", "hook", "awareness", "classified_at"]
    list_filter = ["format", "hook", "awareness"]
    search_fields = ["brand_ad__ad_id", "brand_ad__name__alike"]
    ordering = ["-pk"]
    list_select_related = ["brand_ad"]
    raw_id_fields = ["brand_ad"]
