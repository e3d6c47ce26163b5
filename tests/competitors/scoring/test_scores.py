"""Scores of made-up texts: what they are made of, and that nothing foreign upsets them."""

import time

import pytest

from competitors.scoring import Scorer, find_quotes, quote_key

TOPIC = "Dogs afraid of loud noise, and what owners tried at home\ndog fireworks anxiety\nthunder phobia dog"
TOLD = (
    "My dog is terrified of fireworks. Last night he was shaking and panting for three hours and I could not calm him. "
    "We tried the thunder vest but it didn't help, and I just want him to feel safe in our own home."
)
CALM = "List of dog parks with opening times, and a map of fireworks on the river."
ELSEWHERE = "I hate my new espresso machine. Yesterday it leaked for two hours and I wasted my money on it."
CORPUS = [
    TOLD,
    CALM,
    ELSEWHERE,
    "Which beans do you grind for a cold brew?",
    "Old boots that were resoled twice.",
    "How much sugar is in a banana?",
]
HOSTILE = {
    "a megabyte of words": "I can't stand the noise of fireworks " * 28_000,
    "a megabyte without a blank": "a" * 1_000_000,
    "a megabyte of blanks": " \n" * 500_000,
    "a megabyte of brackets": "[" * 500_000 + "](" * 250_000,
    "a megabyte of what begins a phrase": "i want i've been tried " * 45_000,
    "words joined by signs": "need a " + "a-a'" * 250_000,
    "nothing": "",
    "no words": "?!… --- ***",
    "only numbers": "12 " * 400,
    "emoji": "😭🔥🐶" * 5_000,
    "NULs": "I\x00 hate\x00 this\x00 thing\x00 so much\x00" * 100,
    "half characters": "I hate the \ud83d noise of my \udc36 dog at night",
    "right to left": "\u202eI hate the noise of fireworks at night\u202c \u0623\u0643\u0631\u0647 \u0627\u0644",
    "another language": "Mein Hund hat Angst vor Feuerwerk und ich weiß nicht mehr weiter. 犬は花火が怖いです。",
    "letters that grow": "İ" * 5_000 + " I hate it when İt rains all night long",
    "marks upon marks": "e" + "\u0301" * 100_000,
}


@pytest.fixture(scope="module")
def scorer():
    return Scorer(TOPIC, CORPUS)


def test_a_told_experience_passes_and_neither_a_list_nor_another_topic_does(scorer):
    told, calm, elsewhere = (scorer.score(text) for text in (TOLD, CALM, ELSEWHERE))
    assert told.relevance >= 0.6 and told.signal >= 0.5
    assert calm.relevance >= 0.6 and calm.signal < 0.5  # about the topic, but nobody tells anything
    assert elsewhere.relevance < 0.6 and elsewhere.signal >= 0.5  # told, but about something else


def test_the_parts_add_up_to_the_scores_and_are_in_the_words_of_the_text(scorer):
    score = scorer.score(TOLD)
    words = score.why["words"]
    assert sum(points for _, points in words) == pytest.approx(score.relevance, abs=0.01)
    assert {"dog", "fireworks", "thunder", "home"} <= {word for word, _ in words}  # not their stems
    assert [points for _, points in words] == sorted((points for _, points in words), reverse=True)
    assert sum(points for _, points in score.why["parts"]) == pytest.approx(score.signal, abs=0.01)
    names = [name for name, _ in score.why["parts"]]
    assert "first person" in names and "length" in names
    assert any("negative tone of −0." in name for name in names)


def test_words_beyond_the_first_eight_are_counted_with_their_weight():
    names = "collie spaniel beagle poodle terrier mastiff whippet boxer setter pointer"
    score = Scorer(names, [names, "other"]).score(names)
    assert len(score.why["words"]) == 8 and score.why["other_words"][0] == 2
    shown = sum(points for _, points in score.why["words"])
    assert shown + score.why["other_words"][1] == pytest.approx(score.relevance, abs=0.01)


def test_forms_of_a_word_accents_and_case_make_no_difference():
    scorer = Scorer("puppies, cafés", ["a puppy", "CAFE"])
    assert {word for word, _ in scorer.score("My PUPPY in a cafe").why["words"]} == {"puppy", "cafe"}


def test_a_common_word_counts_less_than_a_rare_one():
    corpus = ["dog and thunder", *["a dog"] * 50]
    words = dict(Scorer("dog thunder", corpus).score("dog thunder").why["words"])
    assert words["thunder"] > 3 * words["dog"]


def test_the_beginning_of_a_long_text_decides_and_endless_words_are_none():
    calm, outburst = "The list goes on here. ", "THIS IS THE WORST, MOST HORRIBLE THING EVER!!!"
    parts = {when: dict(Scorer("", []).score(calm * when + outburst).why["parts"]) for when in (10, 50)}
    assert any("tone" in name for name in parts[10]) and not any("tone" in name for name in parts[50])
    assert Scorer("a" * 40, []).score("a" * 40).relevance > 0 == Scorer("a" * 41, []).score("a" * 41).relevance


@pytest.mark.parametrize(("topic", "corpus"), [("", []), ("the and of", ["the", ""]), (TOPIC, [])])
def test_without_a_topic_or_a_corpus_there_is_still_a_score(topic, corpus):
    score = Scorer(topic, corpus).score(TOLD)
    assert 0 <= score.relevance <= 1 and score.signal >= 0.5
    assert (score.relevance == 0) == (topic != TOPIC)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_scored_within_bounds_and_soon(scorer, name):
    began = time.process_time()
    score = scorer.score(HOSTILE[name])
    quotes = find_quotes(HOSTILE[name])
    Scorer(HOSTILE[name], [HOSTILE[name]]).score(HOSTILE[name])
    assert time.process_time() - began < 2
    assert 0 <= score.relevance <= 1 and 0 <= score.signal <= 1
    assert len(quotes) <= 20 and all(len(quote.text) <= 402 and "\x00" not in quote.text for quote in quotes)
    assert all(len(quote_key(quote.text)) == 64 for quote in quotes) and len(quote_key(HOSTILE[name])) == 64
