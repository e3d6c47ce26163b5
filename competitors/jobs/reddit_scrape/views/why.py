"""Why a text scored so: what the scorer stored, read for the pages. Another scorer may store less, or something else."""

import math
from dataclasses import dataclass, field
from typing import Any

from competitors.models.reddit import RedditScores

MOST_LINES = 12
LONGEST_NAME = 80


@dataclass(frozen=True)
class Why:
    words: list[tuple[str, float]] = field(default_factory=list)  # shared with the topic, each with its part of the relevance
    others: int = 0  # further words
    others_points: float = 0
    parts: list[tuple[str, float]] = field(default_factory=list)  # of the signal
    phrase: str = ""  # that chose a quote's category

    def __bool__(self) -> bool:
        return bool(self.words or self.parts or self.phrase)

    @classmethod
    def of(cls, scored: RedditScores) -> "Why":
        stored = scored.why if isinstance(scored.why, dict) else {}
        others = _pair(stored.get("other_words"))
        phrase = stored.get("phrase")
        return cls(
            words=_pairs(stored.get("words")),
            others=int(others[0]) if others and isinstance(others[0], int) else 0,
            others_points=others[1] if others else 0,
            parts=_pairs(stored.get("parts")),
            phrase=phrase[:LONGEST_NAME] if isinstance(phrase, str) else "",
        )


def _pairs(stored: Any) -> list[tuple[str, float]]:
    pairs = [_pair(one) for one in stored[:MOST_LINES]] if isinstance(stored, list) else []
    return [(name[:LONGEST_NAME], points) for name, points in filter(None, pairs) if isinstance(name, str)]


def _pair(stored: Any) -> tuple[Any, float] | None:
    if isinstance(stored, list) and len(stored) == 2 and isinstance(stored[1], int | float) and math.isfinite(stored[1]):
        return stored[0], stored[1]
    return None
