"""How much a text tells of its writer's own experience: points for five things, together at most 1."""

import re
from functools import cache
from typing import NamedTuple

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from competitors.scoring.quotes import passages
from competitors.scoring.sentences import sentences

# The most that each can give. Only what passes the threshold of 0.5 is kept, so no two of them are enough by chance.
FIRST_PERSON, TONE, PHRASE, DETAILS, LENGTH = 0.30, 0.30, 0.15, 0.15, 0.10
WORDS_TO_A_FIRST_PERSON = 20  # one "I" or "my" in so many words is all that is asked for
ENOUGH_DETAILS, ENOUGH_WORDS = 2, 40
SENTENCES_HEARD, LONGEST_HEARD = 40, 400  # VADER's time grows faster than a sentence

_WORD = re.compile(r"\w+")
_FIRST_PERSON = re.compile(r"\b(?:i|me|my|mine|myself|we|us|our|ours|ourselves)\b", re.IGNORECASE)
_DETAIL = re.compile(
    r"[$€£]\s?\d|\b\d+|\b(?:second|minute|hour|day|week|weekend|month|year|decade|morning|night|yesterday|today|tonight)s?\b"
    r"|\b(?:half|twice|once|daily|weekly|every time|percent|ago)\b",
    re.IGNORECASE,
)


class Part(NamedTuple):
    name: str
    points: float


def parts(text: str) -> list[Part]:
    """Of plain text. Those that gave nothing are left out."""
    words = len(_WORD.findall(text))
    if not words:
        return []
    told = sentences(text)[:SENTENCES_HEARD]
    person = min(1.0, len(_FIRST_PERSON.findall(text)) * WORDS_TO_A_FIRST_PERSON / words)
    tone = _strongest(told)
    phrase = len(passages(told, at_most=1))
    details = len(_DETAIL.findall(text))
    found = [
        Part("first person", FIRST_PERSON * person),
        Part(_in_words(tone), TONE * abs(tone)),
        Part("a phrase of a customer", PHRASE * phrase),
        Part("numbers and times", DETAILS * min(1.0, details / ENOUGH_DETAILS)),
        Part("length", LENGTH * min(1.0, words / ENOUGH_WORDS)),
    ]
    return [Part(name, round(points, 3)) for name, points in found if round(points, 2) > 0]


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    """Read when first needed: a process that never scores does without its dictionary."""
    return SentimentIntensityAnalyzer()


def _strongest(told: list[str]) -> float:
    """From −1 to 1, of the sentence with most feeling. The mean would call a long text with one outburst calm."""
    analyzer = _analyzer()
    heard = (analyzer.polarity_scores(sentence[:LONGEST_HEARD])["compound"] for sentence in told)
    return max(heard, key=abs, default=0.0)


def _in_words(tone: float) -> str:
    kind = "negative" if tone < 0 else "positive"
    strength = "a strong" if abs(tone) >= 0.6 else "a"
    return f"{strength} {kind} tone of {tone:+.2f}".replace("-", "−")
