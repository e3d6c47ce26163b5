"""Sentences that say something of one of six kinds, found by their phrases."""

import hashlib
import re
from typing import NamedTuple

from competitors.scoring.phrases import PHRASES
from competitors.scoring.sentences import plain, sentences
from pipeline.words.search import folded

CATEGORIES = tuple(PHRASES)  # the values of RedditQuote.Category
SHORTEST, LONGEST = 25, 400  # characters of a passage
FEWEST_WORDS = 5
PASSAGES_AT_MOST = 20  # of one text
_WORD = re.compile(r"\w+")


class Passage(NamedTuple):
    category: str
    text: str
    phrase: str  # which chose the category


def find_quotes(text: str) -> list[Passage]:
    return passages(sentences(plain(text)))


def passages(told: list[str], at_most: int = PASSAGES_AT_MOST) -> list[Passage]:
    """Each sentence has one category at most: that of the first phrase in the order of PHRASES."""
    found: dict[str, Passage] = {}
    for sentence in told:
        if len(sentence) < SHORTEST or len(_WORD.findall(sentence)) < FEWEST_WORDS:
            continue
        passage = _passage(sentence)
        if passage:
            found.setdefault(quote_key(passage.text), passage)
            if len(found) == at_most:
                break
    return list(found.values())


def quote_key(text: str) -> str:
    """The same for passages that differ in case, accents, blanks and punctuation only."""
    words = " ".join(_WORD.findall(folded(text))) or text.strip()
    return hashlib.sha256(words.encode(errors="replace")).hexdigest()


def _passage(sentence: str) -> Passage | None:
    small = sentence.lower()
    if len(small) != len(sentence):
        small = "".join(map(_small, sentence))
    for category, phrases in PHRASES.items():
        if match := phrases.search(small):
            start, end = match.span()
            return Passage(category, _shortened(sentence, start, end), sentence[start:end].strip())
    return None


def _small(letter: str) -> str:
    """In lower case, and still one sign: the place of a phrase is its place in the sentence."""
    return letter.lower() if len(letter.lower()) == 1 else letter


def _shortened(sentence: str, start: int, end: int) -> str:
    """What stands around the phrase, whole words only."""
    if len(sentence) <= LONGEST:
        return sentence
    room = (LONGEST - (end - start)) // 2 - 1
    start, end = max(0, start - room), min(len(sentence), end + room)
    cut = sentence[start:end]
    if start:
        cut = "…" + (cut.partition(" ")[2] or cut)
    if end < len(sentence):
        cut = (cut.rpartition(" ")[0] or cut) + "…"
    return cut
