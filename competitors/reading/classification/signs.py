"""An ad's words as the rules look at them, and the signs that several rules look for."""

import re
from dataclasses import dataclass
from unicodedata import normalize

LONGEST = 5_000  # characters of a text that are looked at
_SIGNS = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\xa0": " "})
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_WORD = re.compile(r"[^\W\d_]{2,}|\d")


def sign(*parts: str) -> re.Pattern[str]:
    """One of these, as whole words."""
    return re.compile("|".join(rf"(?<!\w)(?:{part})(?!\w)" for part in parts))


DISCOUNT = sign(
    r"\d{1,2} ?% (?:off|discount|rabatt)", r"\d{1,2} ?%-off", r"[$£€]\d+(?:\.\d\d)? off", r"half[- ]price",
    r"buy (?:one|1|2|two)[ ,-]+get",
    r"bogo", r"(?:use|with|mit) (?:the )?code:? \w+", r"promo code", r"sale (?:ends|is on|starts|now on)",
    r"(?:flash|summer|winter|spring|holiday|black friday|cyber monday|clearance|biggest) sale",
    r"free (?:shipping|delivery|gift|trial|sample|month|bottle)", r"first (?:box|month|order|bag) (?:is )?(?:free|on us)",
    r"save (?:up to )?(?:\d{1,2} ?%|[$£€]\d+)",
    r"up to \d{1,2} ?%", r"(?:limited|exclusive|special)[- ](?:time )?(?:offer|deal)", r"black friday", r"cyber monday",
    r"today only", r"(?:only|just) [$£€]\d+(?:\.\d\d)?",
    r"was [$£€]\d+", r"last chance", r"ends (?:tonight|sunday|monday|friday|soon|at midnight|today|tomorrow)", r"on us",
)  # fmt: skip
RETURNING = sign(
    r"back in stock", r"restock(?:ed)?", r"selling fast", r"almost gone", r"while supplies last", r"cart", r"still thinking",
    r"your order", r"sold out \w+ times", r"final hours", r"order again", r"come back",
)  # fmt: skip
PROBLEM = sign(
    r"tired of", r"sick of", r"fed up", r"struggl\w+", r"frustrat\w+", r"suffer\w*", r"can't (?:sleep|focus|stop|find|keep)",
    r"hate (?:it when|how|that)", r"annoying", r"ruin\w*",
    r"wast(?:e|ed|ing) (?:money|time|hours|your)", r"pain(?:ful)?", r"ache\w*", r"exhausted", r"bloat\w*", r"anxi\w+",
    r"stress\w*", r"itch\w*", r"breakouts?", r"acne", r"wrinkles",
    r"dry (?:skin|hair)", r"hair (?:loss|fall)", r"smell\w*", r"odor", r"messy", r"chaos", r"nightmare", r"the worst",
    r"problem", r"wak(?:e|ing) up (?:tired|at 3|sore|with)", r"brain fog", r"uncomfortable", r"sore",
    r"never (?:fits?|works?|lasts?)", r"los(?:e|ing) (?:sleep|money|hair|customers)", r"overwhelm\w*", r"destroy\w*",
    r"shedding", r"drain(?:s|ed|ing)", r"back hurts?",
)  # fmt: skip
SOLUTION = sign(
    r"better way", r"easier way", r"there's a (?:reason|way|solution)",
    r"unlike (?:other|most|pills|traditional|harsh|ordinary|regular)",
    r"without (?:the )?(?:\w+ )?(?:harsh|chemicals|pills|surgery|needles|mess|drugs|gym|side effects|jitters|crash|sugar)",
    r"instead of",
    r"alternative", r"natural(?:ly)? (?:way|solution|alternative|remed\w+)", r"the (?:secret|key|answer|solution) (?:to|is)",
    r"switch(?:ed|ing)? (?:to|from)", r"vs\.?", r"solution", r"how to choose", r"what to look for", r"replaces?",
    r"most \w+ (?:are|contain|use|only)",
)  # fmt: skip
PRAISE = sign(
    r"customers?", r"5[- ]star", r"five[- ]star", r"\d(?:\.\d)? ?(?:/ ?5|stars?|out of 5)", r"rated", r"reviews?",
    r"as seen (?:in|on)", r"loved by", r"trusted by", r"join (?:over |the )?[\d,.]+ ?[kmKM]?\+?", r"bestsell\w+",
    r"best-sell\w+",
    r"award[- ]winning", r"voted", r"recommended by", r"vets? recommend\w*",
    r"dermatologist[- ](?:recommended|approved|tested)", r"everyone is talking", r"viral", r"people (?:have|can't|love)",
)  # fmt: skip


@dataclass(frozen=True)
class Ad:
    """Texts in lower case, with plain quotes and dashes."""

    title: str
    body: str
    link: str
    is_video: bool

    @classmethod
    def of(cls, title: str, body: str, link: str, *, is_video: bool) -> "Ad":
        return cls(_plain(title), _plain(body), link.lower(), is_video)

    @property
    def words(self) -> str:
        return f"{self.body}\n{self.title}".strip()

    @property
    def opening(self) -> str:
        """The first sentence that has a word: of the text, else of the title."""
        for text in (self.body, self.title):
            for sentence in _SENTENCE.findall(text):
                if _WORD.search(sentence):
                    return str(sentence).strip()
        return ""


def _plain(text: str) -> str:
    return normalize("NFKC", text[:LONGEST]).translate(_SIGNS).lower()
