"""Ads are classified by rules: how often these are right, and what they do with no words at all."""

import csv
from pathlib import Path

import pytest

from competitors.models import AdClassification
from competitors.reading.classification import Kind, classify, words_key

pytestmark = pytest.mark.only_on("sqlite")
FIELDS = ("format", "hook", "awareness")


def labelled() -> list[dict[str, str]]:
    """Sixty made-up ads, each labelled by hand."""
    with Path(__file__).with_name("labelled.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def told(ad: dict[str, str]) -> Kind:
    return classify(ad["title"], ad["text"], ad["link"], is_video=ad["video"] == "yes")


@pytest.mark.parametrize("field", FIELDS)
def test_at_least_four_of_five_ads_are_classified_as_a_person_would(field):
    ads = labelled()
    wrong = [(ad["text"] or ad["title"], ad[field], got) for ad in ads if (got := getattr(told(ad), field)) != ad[field]]
    assert len(ads) == 60
    assert len(wrong) <= 12, "\n".join(map(str, wrong))


def test_every_value_is_one_that_can_be_stored_and_each_is_among_the_labels():
    ads = labelled()
    for field in FIELDS:
        choices = {value for value, _ in AdClassification._meta.get_field(field).flatchoices}
        assert {getattr(told(ad), field) for ad in ads} <= choices
        assert {ad[field] for ad in ads} == choices


@pytest.mark.parametrize("text", ["", "   ", "🔥", "\x00\ud800", "?" * 100_000, "a" * 1_000_000, "\n" * 9], ids=range(7))
def test_what_has_no_words_is_unknown_and_nothing_is_too_long(text):
    assert classify(text, text, text, is_video=True) == Kind("unknown", "unknown", "unknown")


def test_the_key_changes_with_the_words_and_the_form_alone():
    key = words_key("a", "b", "c", is_video=False)
    assert key == words_key("a", "b", "c", is_video=False)
    others = (words_key("ab", "", "c", is_video=False), words_key("a", "b", "c", is_video=True))
    assert len({key, *others, words_key("\ud800", "", "", is_video=False)}) == 4
