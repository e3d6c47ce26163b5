"""Relevance and signal of a text, from 0 to 1, with their parts."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from competitors.scoring.sentences import plain
from competitors.scoring.signal import parts
from competitors.scoring.words import Weights, stems

WORDS_SHOWN = 8
# A topic is a few words and a post is many, so even a good match has a cosine of 0.05 to 0.3. This spreads them over 0 to 1:
# 0.046 becomes 0.6. Found on real posts of six subreddits, see docs/reference/scoring.md.
SPREAD = 0.05


class Score(NamedTuple):
    relevance: float
    signal: float
    why: dict[str, Any]  # `words` and `other_words` add up to the relevance, `parts` to the signal


class WordsAndTone:
    """The words that a text shares with the topic, and its tone, first person, details and length."""

    def __init__(self, topic: str, corpus: Iterable[str]) -> None:
        """The corpus is what was scraped: a word that most of it has says little about one text."""
        self._weights = Weights(stems(plain(text)) for text in corpus)
        self._topic = self._weights.vector({stem: times for stem, (_, times) in stems(plain(topic)).items()})

    def score(self, text: str) -> Score:
        text = plain(text)
        words = self._shared(text)
        signal = parts(text)
        shown, others = words[:WORDS_SHOWN], words[WORDS_SHOWN:]
        why: dict[str, Any] = {
            "words": [[word, round(points, 3)] for word, points in shown],
            "parts": [[part.name, part.points] for part in signal],
        }
        if others:
            why["other_words"] = [len(others), round(sum(points for _, points in others), 3)]
        return Score(
            relevance=round(sum(points for _, points in words), 3),
            signal=round(min(1.0, sum(part.points for part in signal)), 3),
            why=why,
        )

    def _shared(self, text: str) -> list[tuple[str, float]]:
        """Each word of the text that the topic has too, with its share of the relevance, greatest first."""
        found = stems(text)
        vector = self._weights.vector({stem: times for stem, (_, times) in found.items()})
        shared = {stem: self._topic[stem] * weight for stem, weight in vector.items() if stem in self._topic}
        cosine = sum(shared.values())
        if not cosine:
            return []
        relevance = 1 - math.exp(-cosine / SPREAD)
        words = ((found[stem][0], relevance * product / cosine) for stem, product in shared.items())
        return sorted(words, key=lambda word: (-word[1], word[0]))
