from datetime import date, timedelta

import pytest
from babel.dates import format_date, get_month_names
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from competitors.models.amazon import MARKETPLACES
from competitors.reading import read_date
from competitors.reading.dates import month_names

LANGUAGES = frozenset(locale for locales in MARKETPLACES.values() for locale in locales)
SENTENCES = [  # each marketplace's own wording, first
    ("com", "Reviewed in the United States on July 4, 2025", date(2025, 7, 4)),
    ("com", "Calificado en Estados Unidos el 4 de julio de 2025", date(2025, 7, 4)),
    ("ca", "Reviewed in Canada on September 30, 2024", date(2024, 9, 30)),
    ("ca", "Évalué au Canada le 30 déc. 2024", date(2024, 12, 30)),
    ("co.uk", "Reviewed in the United Kingdom on 24 November 2024", date(2024, 11, 24)),
    ("in", "Reviewed in India on 1 May 2023", date(2023, 5, 1)),
    ("in", "भारत में 24 मार्च 2023 को समीक्षा की गई", date(2023, 3, 24)),
    ("de", "Rezension aus Deutschland vom 5. Oktober 2025", date(2025, 10, 5)),
    ("de", "Bewertet in Deutschland am 3. März 2025", date(2025, 3, 3)),
    ("fr", "Avis laissé en France le 14 août 2024", date(2024, 8, 14)),
    ("fr", "Commenté en France le 1er février 2024", date(2024, 2, 1)),
    ("it", "Recensito in Italia il 9 luglio 2025", date(2025, 7, 9)),
    ("es", "Revisado en España el 2 de enero de 2025", date(2025, 1, 2)),
    ("co.jp", "2025年10月5日に日本でレビュー済み", date(2025, 10, 5)),
    ("com.au", "Reviewed in Australia on 3 Sept 2024", date(2024, 9, 3)),
    ("com.br", "Avaliado no Brasil em 1º de março de 2025", date(2025, 3, 1)),
    ("nl", "Beoordeeld in Nederland op 11 mei 2025", date(2025, 5, 11)),
    ("se", "Recenserad i Sverige den 8 augusti 2025", date(2025, 8, 8)),
    ("com.mx", "Calificado en México el 30 de septiembre de 2023", date(2023, 9, 30)),
    ("ae", "تمت المراجعة في الإمارات العربية المتحدة في 5 أكتوبر 2025", date(2025, 10, 5)),
    ("ae", "تمت المراجعة في الإمارات العربية المتحدة في ٥ أكتوبر ٢٠٢٥", date(2025, 10, 5)),
]
A_DAY = st.dates(date(1995, 1, 1), date(2026, 6, 30))


def read(value):
    return read_date(value, LANGUAGES)


@pytest.mark.parametrize(("marketplace", "sentence", "expected"), SENTENCES)
def test_the_date_is_read_out_of_a_marketplaces_sentence(marketplace, sentence, expected):
    assert read(sentence) == expected
    assert read_date(sentence, frozenset(MARKETPLACES[marketplace])) == expected


def test_every_marketplace_has_a_sentence_above():
    assert {marketplace for marketplace, *_ in SENTENCES} == set(MARKETPLACES)


@pytest.mark.parametrize("locale", sorted(LANGUAGES - {"ja_JP"}))
@pytest.mark.parametrize("context", ["format", "stand-alone"])
@pytest.mark.parametrize("width", ["wide", "abbreviated"])
def test_every_form_of_every_month_is_read(locale, context, width):
    for number, name in get_month_names(width, context, locale).items():
        if name[0].isdigit():  # Babel answers a stand-alone name that is the same as the other with that of any language
            continue
        assert read(f"x 7 {name} 2024") == date(2024, number, 7), name
        assert read(f"x 7. {name.upper()} 2024 y") == date(2024, number, 7), name


@pytest.mark.parametrize("locale", sorted(LANGUAGES))
@settings(deadline=None)  # the first reading makes the patterns
@given(day=A_DAY)
def test_a_date_as_cldr_writes_it_is_read(locale, day):
    assert read(format_date(day, "long", locale)) == day


def test_no_name_of_a_month_means_two_months():
    assert month_names(LANGUAGES).keys() == {name for locale in LANGUAGES for name in month_names(frozenset([locale]))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-10-05", date(2025, 10, 5)),
        ("2025-10-05T23:59:59.000Z", date(2025, 10, 5)),
        ("２０２５－１０－０５", date(2025, 10, 5)),
        ("Reviewed on\u00a04\u202fJuly\u00ad 2025", date(2025, 7, 4)),
        ("\u200f5 أكتوبر، 2025\u200f", date(2025, 10, 5)),
        ("Reviewed in the United States 🇺🇸 on July 4th, 2025", date(2025, 7, 4)),
        ("Reviewed on 29 February 2024", date(2024, 2, 29)),
    ],
)
def test_other_forms_are_read(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        "5 Mayıs 2024 tarihinde Türkiye'de değerlendirildi",  # amazon.com.tr is no marketplace of ours
        "Opinia napisana w Polsce dnia 5 maja 2024",
        "Recenzováno v České republice 5. května 2024",
        "Отзыв от 5 мая 2024",
        "03/04/2025",
        "3.4.2025",
        "13/04/2025",
        "Reviewed on 4 July",
        "Reviewed on July 4, 25",
        "Reviewed on 14 Smarch 2025",
        "Reviewed on February 30, 2025",
        "2025-02-30",
        "2025-10-051",
        "12025-10-05",
        "Reviewed on 5½ July 2025",
        "Reviewed on 4 July 2024, edited on 5 July 2024",
        "Reviewed in the United States on July 4, 1994",
        "Reviewed in the United States on July 4, 2096",
        "0000-00-00",
        "令和7年10月5日",
        "yesterday",
        "",
        "x" * 400 + " 4 July 2024",
        None,
        20250101,
        1751600000.0,
        ["2025-10-05"],
    ],
)
def test_what_is_not_certain_is_unread(value):
    assert read(value) is None


def test_a_date_may_be_ahead_by_what_zones_and_clocks_differ():
    today = timezone.now().date()
    assert read((today + timedelta(days=1)).isoformat()) == today + timedelta(days=1)
    assert read((today + timedelta(days=3)).isoformat()) is None


@given(st.text() | st.integers() | st.floats() | st.none())
def test_nothing_raises(value):
    assert read(value) is None or isinstance(read(value), date)
