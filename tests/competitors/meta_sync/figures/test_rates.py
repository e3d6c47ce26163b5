"""Rates, changes, money and charts: arithmetic alone, without a database."""

from datetime import date
from decimal import Decimal

import pytest

from competitors.jobs.meta_sync.figures import charts, words
from competitors.jobs.meta_sync.figures.days import Day
from competitors.jobs.meta_sync.figures.deltas import six
from competitors.jobs.meta_sync.figures.rates import Figures, added, change, has_fallen, per
from competitors.jobs.meta_sync.figures.window import Window

D = Decimal
FULL = Figures(
    spend=D("50"),
    impressions=2000,
    link_clicks=40,
    purchases=D(3),
    purchase_value=D("125"),
    video_views=600,
    video_thruplays=150,
    video_impressions=1500,
)


def test_each_rate_has_its_own_parts():
    assert (FULL.roas, FULL.ctr, FULL.cpc, FULL.cpm) == (D("2.5"), D("0.02"), D("1.25"), D("25"))
    assert (FULL.hook, FULL.hold) == (D("0.4"), D("0.25"))  # pictures have no part in the hook rate


def test_what_is_not_known_and_what_is_zero_stay_apart():
    nothing = Figures()
    assert not nothing.known
    assert Figures(spend=D(0)).known
    assert nothing.roas is nothing.ctr is nothing.cpc is nothing.hook is None
    assert per(0, 5) == 0
    assert per(5, 0) is per(None, 5) is per(5, None) is None
    assert added([]) == added([nothing, nothing]) == nothing
    assert added([Figures(spend=D("0.10")), nothing, Figures(spend=D("0.20"), impressions=0)]) == Figures(
        spend=D("0.30"), impressions=0
    )
    assert added([FULL, FULL]).roas == FULL.roas  # of the sums, not the mean of rates


def test_a_fall_of_the_return_counts_no_value_as_none():
    before = Figures(spend=D(100), purchase_value=D(200))
    by_30 = Figures(spend=D(100), purchase_value=D(140))
    assert has_fallen(by_30, before, 30) and not has_fallen(by_30, before, 31)
    assert has_fallen(Figures(spend=D(100)), before, 100)
    assert not has_fallen(Figures(spend=D(100), purchase_value=D(900)), before, 1)
    assert not has_fallen(Figures(), before, 1) and not has_fallen(FULL, Figures(), 1)
    assert change(D(111), D(100)) == D("0.11")
    assert change(D(5), D(0)) is change(None, D(5)) is None


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        (D("4212.6"), "USD", "$4,212.60"),
        (D("4212.605"), "EUR", "€4,212.61"),
        (D("4999.5"), "JPY", "¥5,000"),
        (D("12"), "AUD", "AUD 12.00"),
        (D("1.2345"), "KWD", "KWD 1.235"),
        (D("-1.2"), "USD", "−$1.20"),
        (D("1"), "", "1.00"),
        (D(0), "USD", "$0.00"),
        (None, "USD", ""),
    ],
)
def test_money_has_the_decimals_of_its_currency(value, currency, expected):
    assert words.money(value, currency) == expected


def test_numbers_in_words():
    assert (words.percent(D("0.01384")), words.percent(D("0.314"), 0), words.percent(None)) == ("1.38 %", "31 %", "")
    assert (words.count(318406), words.count(D("2.5000")), words.count(D("10")), words.count(0)) == ("318,406", "2.5", "10", "0")
    assert (words.ratio(D("2.405")), words.ratio(None)) == ("2.41", "")
    assert (Window(date(2026, 4, 22), date(2026, 5, 5)).words, Window(date(2026, 5, 5), date(2026, 5, 5)).words) == (
        "22 Apr to 5 May 2026",
        "5 May 2026",
    )
    assert Window(date(2026, 1, 1), date(2026, 1, 14)).before == Window(date(2025, 12, 18), date(2025, 12, 31))


def test_only_a_notable_change_for_the_worse_is_colored():
    before = Figures(spend=D(100), impressions=1000, link_clicks=20, purchase_value=D(300))
    now = Figures(spend=D(111), impressions=1000, link_clicks=20, purchase_value=D(270))
    found = {one.label: one for one in six(now, before, "USD")}
    assert [(one.words, one.was, one.worse) for one in found.values()] == [
        ("up 11 %", "$100.00", False),
        ("unchanged", "1,000", False),
        ("unchanged", "2.00 %", False),
        ("up 11 %", "$5.00", True),
        ("up 11 %", "$100.00", True),
        ("down 19 %", "3.00", True),
    ]
    more_clicks = six(Figures(impressions=1000, link_clicks=26), before, "USD")[2]
    assert (more_clicks.words, more_clicks.icon, more_clicks.worse) == ("up 0.60 points", "up", False)
    assert [one.words for one in six(now, None, "USD")] == [""] * 6
    assert not six(Figures(), before, "USD")[0].words


def test_a_chart_has_gaps_where_nothing_is_known_and_words_for_who_does_not_see_it():
    window = Window(date(2026, 5, 1), date(2026, 5, 4))
    spends = [D(10), None, D(0), D(40)]
    days = [
        Day(day, Figures(spend=spend, purchase_value=spend and spend * 2), Figures(), today=place == 3)
        for place, (day, spend) in enumerate(zip(window.days, spends, strict=True))
    ]
    spend, roas, ctr = charts.three(days, added(day.now for day in days), window, "USD", compares=True)
    assert spend.bars == "M10.50 90V67.50h49.00V90zM150.50 90V90.00h49.00V90z"
    assert spend.part == "M220.50 90V0.00h49.00V90z"  # of today
    assert spend.scale == ["$40", "$20", "$0"]
    assert "least $0.00 on 3 May, most $40.00 on 4 May" in spend.label
    assert spend.note == "Most: $40.00 on 4 May. Today is not over."
    assert roas.line == "M35.00 0.00h0M245.00 0.00h0"  # two days that nothing joins
    assert (ctr.line, ctr.total) == ("", "")
    assert [charts.nice(D(most)) for most in ("0", "0.9", "361", "4000", "4001")] == [1, 1, 400, 4000, 5000]
