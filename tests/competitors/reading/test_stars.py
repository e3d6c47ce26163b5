import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitors.models.amazon import MARKETPLACES
from competitors.reading import read_stars, without_rating
from competitors.reading.stars import PHRASES

RATINGS = [
    ("com", "5.0 out of 5 stars", 5),
    ("com", "4.0 de 5 estrellas", 4),
    ("ca", "3.0 out of 5 stars", 3),
    ("ca", "4,0 étoiles sur 5", 4),
    ("co.uk", "2.0 out of 5 stars", 2),
    ("in", "1.0 out of 5 stars", 1),
    ("in", "5 में से 4.0 सितारे", 4),
    ("in", "५ में से ४.० सितारे", 4),
    ("de", "1,0 von 5 Sternen", 1),
    ("fr", "4,0 sur 5 étoiles", 4),
    ("it", "2,0 su 5 stelle", 2),
    ("es", "3,0 de 5 estrellas", 3),
    ("es", "3,0 de un máximo de 5 estrellas", 3),
    ("co.jp", "5つ星のうち3.0", 3),
    ("co.jp", "5つ星のうち 2.0", 2),
    ("co.jp", "星5つ中の4.0", 4),
    ("co.jp", "５つ星のうち２.０", 2),
    ("com.au", "4.0 out of 5 stars", 4),
    ("com.br", "2,0 de 5 estrelas", 2),
    ("nl", "5,0 van 5 sterren", 5),
    ("se", "4,0 av 5 stjärnor", 4),
    ("com.mx", "1.0 de 5 estrellas", 1),
    ("ae", "2.0 من 5 نجوم", 2),
    ("ae", "2.0 من أصل 5 نجوم", 2),
    ("ae", "٢٫٠ من ٥ نجوم", 2),
]


@pytest.mark.parametrize(("marketplace", "rating", "stars"), RATINGS)
def test_the_rating_of_a_marketplace_is_read(marketplace, rating, stars):
    assert read_stars(rating) == stars


def test_every_marketplace_and_each_of_its_languages_has_its_phrase():
    assert {marketplace for marketplace, *_ in RATINGS} == set(MARKETPLACES)
    assert {locale.partition("_")[0] for locales in MARKETPLACES.values() for locale in locales} == set(PHRASES)


@pytest.mark.parametrize("phrase", [phrase for phrases in PHRASES.values() for phrase in phrases])
@pytest.mark.parametrize("stars", range(1, 6))
def test_every_phrase_gives_the_stars_and_not_the_five(phrase, stars):
    for number in (f"{stars}.0", f"{stars},0", str(stars)):
        assert read_stars(phrase.format(stars=number)) == stars
        assert read_stars(phrase.format(stars=number).upper()) == stars


@pytest.mark.parametrize(
    ("value", "stars"),
    [(4.0, 4), (2, 2), ("3", 3), ("5.0", 5), ("4,0", 4), (" 4\u00a0", 4), ("４．０", 4), ("٣", 3), ("4.0 out of 5", 4)],
)
def test_a_plain_number_is_read(value, stars):
    assert read_stars(value) == stars


@pytest.mark.parametrize(
    "value",
    [
        "5 yıldız üzerinden 2,0",
        "2,0 / 5 yıldız",
        "4,0 z 5 gwiazdek",
        "5점 만점에 4.0점",
        "4.5 out of 5 stars",
        4.5,
        "4½ out of 5 stars",
        "9 out of 10",
        "4 out of 10 stars",
        "55 out of 5",
        "5.0 out of 5 stars, more or less",
        "rated 5.0 out of 5 stars",
        "5 stars or 4 stars",
        "4.0 5.0",
        "no stars",
        "",
        0,
        6,
        -1,
        10**40,
        float("nan"),
        float("inf"),
        True,
        None,
        [5],
        {"stars": 5},
    ],
)
def test_what_is_not_certain_is_unread(value):
    assert read_stars(value) is None


@pytest.mark.parametrize(
    ("rating", "title", "left"),
    [
        ("5.0 out of 5 stars", "5.0 out of 5 stars Great chews", "Great chews"),
        ("5.0 out of 5 stars", "5.0 out of 5 stars\nGreat chews", "Great chews"),
        ("1,0 von 5 Sternen", "1,0 von 5 Sternen Nie wieder", "Nie wieder"),
        ("5つ星のうち3.0", "5つ星のうち3.0 普通", "普通"),
    ],
)
def test_the_items_own_rating_before_its_title_goes(rating, title, left):
    assert without_rating(title, rating) == left


@pytest.mark.parametrize(
    ("rating", "title"),
    [
        ("4.0 out of 5 stars", "4 out of 5 dentists agree"),
        ("2.0 out of 5 stars", "2 out of 5 bulbs arrived dead"),
        ("4 out of 5", "4 out of 5 dentists agree"),
        ("4", "4 out of 5 stars are not enough"),
        (4, "4 legs good"),
        ("5.0 out of 5 stars", "4.0 out of 5 stars Great chews"),
        ("5.0 out of 5 stars", "5 out of 5 stars Great chews"),
        ("5.0 out of 5 stars", "5.0 out of 5 starships exploded"),
        ("5.0 out of 5 stars", "5.0 out of 5 stars"),
        ("5.0 out of 5 stars", "I give it 5.0 out of 5 stars today"),
        ("5.0 out of 5 stars", "5 stars from my dog"),
        ("Great", "Great chews"),
        ("", " Great chews"),
        (None, "Great chews"),
    ],
)
def test_every_other_title_stays_whole(rating, title):
    assert without_rating(title, rating) == title


@given(st.text(), st.text() | st.integers() | st.floats() | st.none())
def test_no_title_loses_what_is_not_its_rating(title, rating):
    left = without_rating(title, rating)
    assert left == title or title == f"{str(rating).strip()}{title.removeprefix(str(rating).strip())}"
    assert read_stars(rating) in (None, 1, 2, 3, 4, 5)
