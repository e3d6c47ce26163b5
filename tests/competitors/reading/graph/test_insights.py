"""Rows of figures are read field by field. Numbers are texts; a list may be empty; what is absent is not 0."""

import copy
from datetime import date
from decimal import Decimal

import pytest

from competitors.models import AccountDay, AdDay
from competitors.reading.graph.insights import AGE_GENDER, MEASURES, PLACEMENT, read_account_day, read_ad_day
from tests.competitors.upstream.altered import GONE, WRONG

pytestmark = pytest.mark.only_on("sqlite")


def one(value, kind="video_view"):
    return [{"action_type": kind, "value": value}]


ITEM = {
    "ad_id": "120200001123456789",
    "ad_name": "Chews &amp; more",
    "adset_id": "120800001123456789",
    "campaign_id": "120900001123456789",
    "campaign_name": "Spring",
    "date_start": "2026-11-05",
    "date_stop": "2026-11-05",
    "spend": "12.34",
    "impressions": "1024",
    "reach": "900",
    "clicks": "40",
    "inline_link_clicks": "39",
    "outbound_clicks": one("31", "outbound_click"),
    "attribution_setting": "7d_click_1d_view",
    "actions": [
        {"action_type": "purchase", "value": "3"},
        {"action_type": "omni_purchase", "value": "4", "7d_click": "3", "1d_view": "1"},
        {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "2"},
        {"action_type": "video_view", "value": "300"},
        {"action_type": "add_to_cart", "value": "9"},
        {"action_type": "omni_initiated_checkout", "value": "5"},
        {"action_type": "landing_page_view", "value": "25"},
        {"action_type": "omni_view_content", "value": "22"},
    ],
    "action_values": [*one("80.00", "purchase"), *one("99.90", "omni_purchase")],
    "video_play_actions": one("500"),
    "video_thruplay_watched_actions": one("120"),
    "video_p25_watched_actions": one("200"),
    "video_p50_watched_actions": one("150"),
    "video_p75_watched_actions": one("100"),
    "video_p95_watched_actions": one("70"),
    "video_p100_watched_actions": one("60"),
    "video_avg_time_watched_actions": one("6.5"),
}
READ = {
    "spend": Decimal("12.34"),
    "impressions": 1024,
    "reach": 900,
    "clicks": 40,
    "link_clicks": 31,
    "purchases": 4,
    "purchase_value": Decimal("99.9"),
    "purchase_tier": "omni_purchase",
    "add_to_carts": 9,
    "initiate_checkouts": 5,
    "landing_page_views": 25,
    "content_views": 22,
    "video_plays": 500,
    "video_views": 300,
    "video_thruplays": 120,
    "video_p25": 200,
    "video_p50": 150,
    "video_p75": 100,
    "video_p95": 70,
    "video_p100": 60,
    "video_seconds": Decimal("6.5"),
    "attribution": "7d_click_1d_view",
}


def without(*names, **fields):
    return {name: value for name, value in (copy.deepcopy(ITEM) | fields).items() if name not in names}


def test_every_figure_of_a_row_is_read():
    ad = read_ad_day(ITEM)
    assert (ad.ad_id, ad.date, ad.measures, ad.unread) == ("120200001123456789", date(2026, 11, 5), READ, ())
    assert ad.names == {
        "ad_name": "Chews & more",
        "adset_id": "120800001123456789",
        "campaign_id": "120900001123456789",
        "campaign_name": "Spring",
    }
    for model in (AdDay, AccountDay):
        assert {*MEASURES} == {*READ} <= {field.name for field in model._meta.concrete_fields}
    day = read_account_day(without("ad_id"))
    assert (day.date, day.measures) == (ad.date, READ)


def test_what_is_left_out_is_absent_and_not_zero():
    """Trap: a metric that is nil is left out; indexing an empty list."""
    bare = {name: ITEM[name] for name in ("ad_id", "date_start", "date_stop")}
    empty: dict[str, list[str]] = {name: [] for name, value in ITEM.items() if isinstance(value, list)}
    for item in (bare, bare | empty, bare | {name: None for name in ITEM if name not in bare}):
        ad = read_ad_day(item)
        assert not any(value not in (None, "") for value in ad.measures.values())
        assert ad.unread == ()
    assert read_ad_day(without(spend="0", impressions="0")).measures["spend"] == 0


@pytest.mark.parametrize(
    ("kinds", "tier", "number", "value"),
    [
        (["omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase"], "omni_purchase", 1, 10),
        (["offsite_conversion.fb_pixel_purchase", "purchase"], "purchase", 2, 20),
        (["onsite_web_purchase", "offsite_conversion.fb_pixel_purchase"], "offsite_conversion.fb_pixel_purchase", 2, 20),
        (["onsite_web_purchase", "my_purchase", "PURCHASE", "omni_purchase_x"], "", None, None),
    ],
    ids=["omni", "purchase", "pixel", "none"],
)
def test_of_three_tiers_the_first_that_exists_counts_by_its_exact_name_and_they_are_never_added(kinds, tier, number, value):
    """Trap: the same purchase stands under several types."""
    actions = [{"action_type": kind, "value": str(place)} for place, kind in enumerate(kinds, 1)]
    values = [{"action_type": kind, "value": f"{place}0.0"} for place, kind in enumerate(kinds, 1)]
    measures = read_ad_day(without(actions=actions, action_values=values)).measures
    assert (measures["purchase_tier"], measures["purchases"], measures["purchase_value"]) == (tier, number, value)


def test_number_and_value_are_of_one_tier():
    measures = read_ad_day(without(actions=one("2", "omni_purchase"), action_values=one("50", "purchase"))).measures
    assert (measures["purchase_tier"], measures["purchases"], measures["purchase_value"]) == ("omni_purchase", 2, None)


def test_a_breakdown_names_the_part_of_the_day():
    item = ITEM | {"age": "25-34", "gender": "female", "publisher_platform": "facebook", "platform_position": "facebook_reels"}
    assert read_ad_day(item, AGE_GENDER).breakdown == "25-34 female"
    assert read_ad_day(item, PLACEMENT).breakdown == "facebook facebook_reels"
    assert read_ad_day(ITEM, AGE_GENDER) is None, "nobody knows which part it is of"


@pytest.mark.parametrize(
    "changed",
    [
        {"ad_id": "0"},
        {"ad_id": None},
        {"ad_id": 1.2e17},
        {"date_start": None},
        {"date_start": "2026-02-30", "date_stop": "2026-02-30"},
        {"date_stop": "2026-11-06"},
        {"date_start": "05.11.2026", "date_stop": "05.11.2026"},
    ],
    ids=range(7),
)
def test_a_row_without_its_ad_or_its_single_day_is_none(changed):
    assert read_ad_day(ITEM | changed) is None


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
def test_a_field_of_any_kind_spoils_no_other_one(value):
    for name in ITEM:
        item = {key: one for key, one in (ITEM | {name: value}).items() if one is not GONE}
        ad = read_ad_day(item)
        if name in ("ad_id", "date_start", "date_stop"):
            continue
        wrong = {key for key in READ if ad.measures[key] != READ[key]}
        assert len(wrong) <= (8 if name == "actions" else 1), (name, wrong)
        for key in wrong - {"attribution"}:
            got = ad.measures[key]
            assert got is None or got == "" or value == 7 or name in ("actions", "action_values")
    for entry in (value, [value], [{"action_type": value, "value": value}], [{"action_type": "omni_purchase", "value": value}]):
        read_ad_day(without(actions=entry, action_values=entry, outbound_clicks=entry))
    assert all(read_ad_day(item) is None for item in (value, [ITEM], None))


@pytest.mark.parametrize("given", ["1,234", "-3", "1e5", "NaN", "Infinity", "12.34 USD", "٣", "9" * 40])
def test_a_number_that_makes_no_sense_is_unread_and_named(given):
    ad = read_ad_day(without(spend=given, impressions=given))
    assert (ad.measures["spend"], ad.measures["impressions"], ad.unread) == (None, None, ("spend", "impressions"))
