"""How well a text fits a topic, how much it tells, and which of its sentences are worth quoting. No database, no network.

docs/reference/scoring.md explains the scores. To replace them, write a class with the same two methods and import it
here as Scorer.
"""

from competitors.scoring.quotes import CATEGORIES, Passage, find_quotes, quote_key
from competitors.scoring.scorer import Score
from competitors.scoring.scorer import WordsAndTone as Scorer

__all__ = ["CATEGORIES", "Passage", "Score", "Scorer", "find_quotes", "quote_key"]
