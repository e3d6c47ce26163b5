"""Search that ignores case and accents, on both databases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models import Brand, RunLog
from pipeline.words.search import folded

PAIRS = [
    ("ÄPFEL", "äpfel"),
    ("Müller", "muller"),
    ("muller", "MÜLLER"),
    ("Mu\u0308ller", "Müller"),
    ("crème brûlée", "CREME BRULEE"),
    ("Straße", "STRASSE"),
    ("Łódź España", "ESPANA"),
    ("МОСКВА", "москва"),
    ("Йога", "йога"),
    ("ΟΔΟΣ", "οδος"),
    ("Ａｐｐｌｅ", "apple"),
    ("資生堂の", "資生堂"),
    ("مُحَمَّد", "محمد"),
    ("İstanbul", "istanbul"),
    ("100%_sure", "100%_"),
]


@pytest.mark.parametrize(("text", "words"), PAIRS)
def test_texts_that_read_alike_are_found(text, words, db):
    Brand.objects.create(name=text, slug="x")
    Brand.objects.create(name="anything else", slug="y")
    assert [brand.slug for brand in Brand.objects.filter(name__alike=words)] == ["x"]
    assert folded(words) in folded(text)


@pytest.mark.parametrize("words", ["mall", "%", "_", "\\", "x"])
def test_nothing_else_is_found(words, db):
    Brand.objects.create(name="Müller", slug="y")
    assert not Brand.objects.filter(name__alike=words).exists()


def test_a_column_without_value_is_passed_over(db):
    assert not RunLog.objects.filter(run__brand__name__alike="x").exists()


@given(st.text())
def test_a_text_that_is_folded_stays_as_it_is(text):
    assert folded(folded(text)) == folded(text)
