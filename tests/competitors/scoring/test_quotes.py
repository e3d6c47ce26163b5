"""Quotes: six kinds of sentences, found by phrases."""

from collections import Counter

import pytest

from competitors.models import RedditQuote
from competitors.scoring import CATEGORIES, find_quotes, quote_key
from tests.competitors.scoring.sentences import LABELED

MUST_BE_RIGHT = 0.9  # when it was written: 66 of 67


def category(sentence: str) -> str | None:
    return next((passage.category for passage in find_quotes(sentence)), None)


def test_labeled_sentences_get_the_category_that_a_person_gave_them():
    found = [(label, category(sentence), sentence) for label, sentence in LABELED]
    wrong = [f"{label}, found {given}: {sentence}" for label, given, sentence in found if label != given]
    assert len(LABELED) - len(wrong) >= MUST_BE_RIGHT * len(LABELED), "\n".join(wrong)
    assert min(Counter(label for label, _ in LABELED if label).values()) >= 8
    assert not [sentence for label, given, sentence in found if label is None and given]


def test_the_categories_are_those_of_the_rows():
    assert sorted(CATEGORIES) == sorted(RedditQuote.Category.values)


def test_a_passage_names_the_phrase_that_chose_its_category_and_has_one_category():
    text = (
        "We drove home late. He shakes for hours and nothing we say reaches him. I wish it came in a smaller size, it hurts him."
    )
    assert [(quote.category, quote.phrase) for quote in find_quotes(text)] == [
        ("pain_point", "He shakes"),
        ("desired_feature", "wish it came"),
    ]
    (quote,) = find_quotes("İİİİİİİİ I hate it when it rains all night")  # in lower case it is longer
    assert quote.phrase == "I hate"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("I hate it so so.", []),  # too short to stand alone
        ("I hate anthropomorphization.", []),  # too few words
        ("I\x00hate\u200bthe noise of this place.", ["I hate the noise of this place."]),
        ("> I hate it when somebody quotes me\nGood point.", []),  # words of somebody else
        ("I hate it when somebody quotes me! I  HATE it, when somebody quotes me.", ["I hate it when somebody quotes me!"]),
        ("**I hate** [this dog bed](https://shop.example/x?y=1) of mine.", ["I hate this dog bed of mine."]),
        ("I can’t sleep at night with all of this.", ["I can't sleep at night with all of this."]),
    ],
)
def test_sentences_are_quoted_as_a_reader_sees_them(text, quoted):
    assert [quote.text for quote in find_quotes(text)] == quoted


def test_a_long_sentence_is_cut_at_whole_words_around_its_phrase():
    (quote,) = find_quotes("and then " * 100 + "I hate the noise " + "and then " * 100)
    assert len(quote.text) <= 402 and "I hate the noise" in quote.text
    assert quote.text[0] == quote.text[-1] == "…" and set(quote.text.strip("…").split()) <= {*"and then I hate the noise".split()}


def test_the_key_ignores_case_accents_blanks_and_punctuation_only():
    assert quote_key("I hate cafés!") == quote_key("i  hate CAFES")
    assert len({quote_key(text) for text in ("I hate cats", "I hate dogs", "", "😭", "😭😭")}) == 5
