"""What rows add up to: the same as SQL says, to the cent, and which ads need a person."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from competitors.jobs.meta_sync.figures import ads
from competitors.jobs.meta_sync.figures.attention import attention
from competitors.jobs.meta_sync.figures.days import days
from competitors.jobs.meta_sync.figures.rates import added
from competitors.jobs.meta_sync.figures.window import Window, today_of
from competitors.jobs.meta_sync.sync.months import add_up
from competitors.models import AdDay, AdMonth, AttentionRule
from tests.factories import make_brand
from tests.performance_rows import days_back, make_account, make_account_day, make_ad_day, make_brand_ad

pytestmark = pytest.mark.django_db
D = Decimal
LAST = date(2026, 5, 5)
WINDOW = Window.of_days(LAST, 14)


def of_sql(column, table, account, since, until):
    """The sum that the database gives for the raw rows, in the smallest part of a cent that is stored."""
    amount = f"SUM(CAST(ROUND({column} * 10000) AS BIGINT))"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {amount} FROM {table} WHERE ad_account_id = %s AND date BETWEEN %s AND %s", [account.pk, since, until]
        )
        return D(int(cursor.fetchone()[0])) / 10000


def test_sums_equal_those_of_the_rows_to_the_cent():
    account, other = make_account(), make_account(account_id="act_2", brand=make_brand("Southpaw"))
    dice = random.Random(7)
    for number in range(30):
        for day in days_back(LAST, 40)[:: dice.randint(1, 3)]:
            spend = D(dice.randint(0, 10**9)) / 10000
            value = None if dice.random() < 0.4 else D(dice.randint(0, 10**9)) / 10000
            make_ad_day(account, f"1{number}", day, str(spend), purchase_value=value, impressions=dice.randint(0, 9999))
            make_ad_day(other, f"1{number}", day, "77777.77")
    for day in days_back(LAST, 40):
        make_account_day(account, day, str(D(dice.randint(10**9, 10**10)) / 10000))
    found = ads.rows(account, WINDOW, {})
    shown = days(account, WINDOW, LAST)
    for window, of_ads, of_account in (
        (WINDOW, added(row.now for row in found), shown.total),
        (WINDOW.before, added(row.before for row in found), shown.before),
    ):
        for column in ("spend", "purchase_value"):
            sql = of_sql(column, "competitors_adday", account, window.since, window.until)
            assert getattr(of_ads, column) == sql, (window, column)
        assert of_account.spend == of_sql("spend", "competitors_accountday", account, window.since, window.until)
    of_ads = added(row.now for row in found)
    assert shown.own and shown.unexplained(of_ads) == shown.own.spend - of_ads.spend
    account.days.filter(date=LAST - timedelta(days=3)).delete()
    part = days(account, WINDOW, LAST)
    assert (part.lacking, part.own, part.unexplained(of_ads)) == (1, None, None)  # a difference would be wrong
    account.days.filter(date__in=[LAST - timedelta(days=back) for back in (4, 9)]).delete()
    part = days(account, WINDOW, LAST)
    for back in (3, 4, 9):  # two of them side by side
        ads_of_day = account.ad_days.filter(date=LAST - timedelta(days=back))
        assert part.days[-1 - back].now.spend == sum(day.spend for day in ads_of_day)


def test_months_that_are_added_up_and_the_days_around_them_are_the_sums_of_all_days():
    account, dice = make_account(), random.Random(3)
    days_of = {}
    for number in "123":
        for day in days_back(LAST, 500)[:: int(number)]:
            amount = D(dice.randint(0, 10**9)) / 10000
            fields = {"purchase_value": amount, "video_views": dice.randint(0, 99)} if dice.random() < 0.6 else {}
            days_of[number, day] = AdDay(
                ad_account=account, ad_id=number, date=day, spend=amount, impressions=dice.randint(0, 999),
                last_read_at=timezone.now(), **fields,
            )  # fmt: skip
    AdDay.objects.bulk_create(days_of.values())
    add_up(account, days_of.keys())
    windows = [Window.of_days(LAST, count) for count in (14, 35, 36, 70, 365)] + [Window(date(2026, 4, 1), date(2026, 4, 30))]
    for window in windows:
        found = {row.ad_id: row for row in ads.rows(account, window, {})}
        for number in "123":
            now, before = (
                [row for (ad, day), row in days_of.items() if ad == number and one.since <= day <= one.until]
                for one in (window, window.before)
            )
            row = found[number]
            assert row.days == len(now)
            assert row.now.spend == sum(one.spend for one in now)
            assert row.before.spend == sum(one.spend for one in before)
            assert row.now.purchase_value == sum(one.purchase_value or 0 for one in now)
            assert row.now.video_impressions == sum(one.impressions for one in now if one.video_views is not None)
            assert [type(value) for value in (row.now.spend, row.before.spend)] == [D, D]
    AdMonth.objects.all().delete()
    assert ads.rows(account, windows[-1], {}) == [], "whole months are not read day by day"


def test_the_month_of_today_is_read_as_it_is_added_up_so_far(time_machine):
    time_machine.move_to("2026-05-05T12:00:00Z", tick=False)
    account = make_account()
    kept = [make_ad_day(account, "1", day, "1.01", purchase_value=D("2.02"), purchases=1).date for day in days_back(LAST, 70)]
    add_up(account, [("1", day) for day in kept])
    for count in (3, 4, 5, 6, 40, 66):
        window = Window.of_days(LAST, count)
        [row] = ads.rows(account, window, {})
        earlier = min(count, 70 - count)
        assert (row.days, row.now.spend, row.now.purchase_value) == (count, count * D("1.01"), count * D("2.02")), count
        assert (row.before.spend, row.before.purchase_value) == (earlier * D("1.01"), earlier * D("2.02")), count
    [row] = ads.rows(account, Window(date(2026, 5, 1), date(2026, 5, 4)), {})
    assert row.now.spend == D("4.04"), "yesterday, the month is not over"
    account.ad_days.all().delete()
    [row] = ads.rows(account, Window(date(2026, 5, 1), LAST), {})
    assert row.now.spend == D("5.05"), "no day is read one by one"


def test_a_thousand_small_amounts_of_a_day_add_up_without_a_binary_rest():
    account, at = make_account(), timezone.now()
    AdDay.objects.bulk_create(
        AdDay(ad_account=account, ad_id=str(number), date=LAST, spend=D("0.1"), last_read_at=at) for number in range(1000)
    )
    assert days(account, WINDOW, LAST).total.spend == 100


def test_an_ad_is_active_if_its_status_says_so_and_it_has_not_ended_and_was_shown():
    account, now = make_account(), timezone.now()
    make_brand_ad(account, "1")
    make_brand_ad(account, "2", ends_at=now - timedelta(days=1))
    make_brand_ad(account, "3", ends_at=now + timedelta(days=1))
    make_brand_ad(account, "4", status="CAMPAIGN_PAUSED")
    make_brand_ad(account, "5")
    make_brand_ad(account, "6", status="SOMETHING_NEW")
    for number in "123467":
        make_ad_day(account, number, LAST)
    make_ad_day(account, "5", LAST, "0", impressions=0)
    make_ad_day(account, "7", LAST - timedelta(days=1), ad_name="An older name")
    found = {row.ad_id: row for row in ads.rows(account, WINDOW, ads.listed(account))}
    assert {number: row.active for number, row in found.items()} == {
        **dict.fromkeys("13", True),
        **dict.fromkeys("24567", False),
    }
    words = {number: row.state.word for number, row in found.items()}
    assert [words[number] for number in "124567"] == [
        "Active",
        "Ended",
        "Campaign paused",
        "Active, not shown",
        "Something new",
        "Not listed",
    ]
    account.ad_days.filter(ad_id="7", date=LAST).update(ad_name="Its newest name")
    assert {row.ad_id: row.name for row in ads.rows(account, WINDOW, ads.listed(account))}["7"] == "Its newest name"


def test_each_rule_finds_its_ads_and_each_threshold_counts():
    account = make_account()
    before = WINDOW.before.until
    old = timezone.now() - timedelta(days=400)

    def ad(ad_id, spend, value, was, **fields):
        make_brand_ad(account, ad_id, name=f"Ad {ad_id}", started_at=old, **fields)
        sold = {"purchase_value": value and D(value), "purchases": value and 1}
        make_ad_day(account, ad_id, LAST, spend, **sold)
        if was:
            make_ad_day(account, ad_id, before, "100", purchase_value=D(was), purchases=1)

    ad("1", "0.01", "1", "", status="DISAPPROVED")
    ad(
        "2",
        "0",
        None,
        "",
        status="DISAPPROVED",
    )
    ad("3", "50.00", "70.00", "200")  # 2.00 → 1.40: down by 30 %
    ad("4", "50.00", "70.50", "200")
    ad("5", "49.99", "1.00", "200")
    ad("6", "50.00", None, "")
    ad("7", "50.01", None, "300")
    make_brand_ad(account, "8", started_at=old)
    make_brand_ad(account, "9", started_at=timezone.now())  # too new to tell
    make_brand_ad(account, "10", started_at=old, ends_at=old)
    make_brand_ad(account, "11", started_at=old, status="PAUSED")
    make_brand_ad(account, "12")
    make_ad_day(account, "12", LAST - timedelta(days=7))
    rule = AttentionRule(brand=account.brand)

    def found():
        known = ads.listed(account)
        idle = ads.idle(account, Window.of_days(LAST, rule.idle_days), known)
        return attention(rule, ads.rows(account, WINDOW, known), idle, "USD")

    assert {note.ad_id: (note.tone, note.words) for note in found().notes} == {
        "1": ("tone-red", "was disapproved by Meta. It spent $0.01."),
        "3": ("tone-amber", "Its ROAS fell from 2.00 to 1.40."),
        "7": ("tone-amber", "It spent $50.01 without a purchase. Its ROAS fell from 3.00 to none."),
    }
    assert [note.ad_id for note in found().notes] == ["1", "7", "3"]  # red first, then by what was spent
    assert {one.ad_id for one in found().idle} == {"8", "12"}
    rule.roas_drop_percent, rule.roas_min_spend, rule.no_purchase_spend, rule.idle_days = 29, D(40), D("49.99"), 8
    assert {note.ad_id for note in found().notes} == {"1", "3", "4", "5", "6", "7"}
    assert "12" not in {one.ad_id for one in found().idle}


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Pacific/Auckland", 6), ("Pacific/Honolulu", 5), ("America/Los_Angeles", 5), ("Mars/Base", 6), ("", 6)],
)
def test_today_is_the_accounts_own_day(time_machine, zone, expected):
    time_machine.move_to("2026-05-06T06:30:00Z", tick=False)  # 18:30 in Auckland, 20:30 the day before in Honolulu
    assert today_of(make_account(time_zone=zone)).day == expected
