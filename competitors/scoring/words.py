"""Words that can be compared, and how much each counts: TF-IDF."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

import snowballstemmer

from pipeline.words.search import folded

LONGEST_WORD = 40
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_STOP_WORDS = frozenset(
    """
    a about above after again against ain't all also always am an and any anyone anything are aren't around as ask asked at away
    back be because been before being below best better between both but by came can can't cannot come could couldn't day days did
    didn't different do does doesn't doing don't done down during each either else enough even ever every everyone everything far
    few find first for found from further gave get gets getting give given go goes going gone good got great guess guy guys had
    hadn't happen has hasn't have haven't having he he'd he'll he's help her here here's hers herself hey hi him himself his how
    how's however i i'd i'll i'm i've if in instead into is isn't it it'd it'll it's its itself just keep kind knew know last
    least less let let's like literally little ll long look looking lot lots made make makes making many may maybe me mean might
    mine more most much must my myself need needs never new next no nobody nor not nothing now of off oh ok okay old on once one
    ones only or other others ought our ours ourselves out over own part people per please post pretty probably put quite rather
    re really right said same saw say says see seem seems seen set several shall she she'd she'll she's should shouldn't since so
    some somebody someone something sometimes somewhat soon still stuff such sure take taken takes taking tell than thank thanks
    that that'll that's the their theirs them themselves then there there's these they they'd they'll they're they've thing things
    think thinking this those though thought through till time times to together told too took toward tried try trying two under
    until up upon us use used uses using usually ve very via want wanted wants was wasn't way ways we we'd we'll we're we've well
    went were weren't what what's whatever when when's where where's whether which while who who's whole whom whose why why's will
    with without won't work worked working works would wouldn't yeah year years yes yet you you'd you'll you're you've your yours
    yourself yourselves
    """.split()
)
_stem = lru_cache(maxsize=50_000)(snowballstemmer.stemmer("english").stemWord)


def stems(text: str) -> dict[str, tuple[str, int]]:
    """What each word of a plain text is compared by, with the word as it first stood there and how often it came.

    Words of other languages than English are compared too: as they are, or shortened by English rules on both sides.
    """
    found: dict[str, tuple[str, int]] = {}
    for word in _WORD.findall(folded(text)):
        if 1 < len(word) <= LONGEST_WORD and word not in _STOP_WORDS:
            stem = _stem(word)
            first, times = found.get(stem, (word, 0))
            found[stem] = (first, times + 1)
    return found


class Weights:
    """How much words count, by how rare they are among the texts that are compared."""

    def __init__(self, corpus: Iterable[Iterable[str]]) -> None:
        self._texts, self._texts_with = 0, Counter[str]()
        for words in corpus:
            self._texts += 1
            self._texts_with.update(set(words))

    def vector(self, times: Mapping[str, int]) -> dict[str, float]:
        """One weight for each word, together of length 1: so a long text is not nearer to everything."""
        weights = {word: (1 + math.log(n)) * self._rarity(word) for word, n in times.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        return {word: weight / length for word, weight in weights.items()}

    def _rarity(self, word: str) -> float:
        """As scikit-learn does by default: a word of all texts still counts, and one of no text is no division by zero."""
        return math.log((1 + self._texts) / (1 + self._texts_with[word])) + 1
