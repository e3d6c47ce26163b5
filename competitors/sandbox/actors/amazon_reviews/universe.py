"""Every review that a made-up listing has: the same for the same seed, ASIN and marketplace, on any machine.

The listing has 300 to 1,500 reviews on day 0. Each further day adds some at the front and edits one of the recent.
"""

import random
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from . import phrases
from .wording import date_sentence

#: Fixed, because a review must read the same in every scrape: ages are counted from here, not from today.
DAY_ZERO = date(2026, 6, 30)
_STAR_WEIGHTS = [(62, 14, 8, 5, 11), (48, 20, 12, 8, 12), (71, 15, 6, 3, 5), (35, 15, 12, 13, 25)]
_MOODS = {5: ("good",), 4: ("good", "good", "middling"), 3: ("middling",), 2: ("bad", "middling"), 1: ("bad",)}


@dataclass(frozen=True)
class Review:
    id: str
    stars: int
    title: str
    text: str
    day: date
    date_text: str
    author: str
    profile: str
    helpful: int
    verified: bool
    vine: bool
    variation: str
    size: str | None
    images: int | None  # None: the field is null; 0: an empty list

    def mentions(self, keyword: str) -> bool:
        return re.search(rf"\b{re.escape(keyword)}\b", f"{self.title} {self.text}", re.IGNORECASE) is not None


@dataclass(frozen=True)
class Listing:
    asin: str
    domain: str
    title: str
    thing: str
    reviews: tuple[Review, ...]  # newest first


@lru_cache(maxsize=64)
def listing(seed: int, asin: str, domain: str, days: tuple[int, ...]) -> Listing:
    """The listing after so many days; each entry of ``days`` is the number of reviews that this day brought."""
    source = random.Random(f"{seed}:{asin}:{domain}")
    name, thing = source.choice(phrases.PRODUCTS)
    title = f"{source.choice(phrases.BRANDS)} {name}, {source.choice(phrases.SIZES)}"
    weights = source.choice(_STAR_WEIGHTS)
    variations = [asin, asin, asin, *(f"B0{source.randrange(36**4):08X}" for _ in range(2))]
    count = source.randint(300, 1500)
    key = f"{seed}:{asin}:{domain}"
    reviews: list[Review] = []
    age = 0.0
    for number in range(count):
        age += source.expovariate(1.5)  # days between two reviews: about one and a half come a day
        reviews.append(_review(key, number, domain, thing, weights, variations, DAY_ZERO - timedelta(days=int(age))))
    for day, coming in enumerate(days, start=1):
        _edit_one(random.Random(f"{key}:edit:{day}"), reviews)
        today = DAY_ZERO + timedelta(days=day)
        numbers = range(count, count + coming)
        reviews[:0] = [_review(key, number, domain, thing, weights, variations, today) for number in numbers]
        count += coming
    return Listing(asin, domain, title, thing, tuple(reviews))


def _review(key: str, number: int, domain: str, thing: str, weights: tuple[int, ...], variations: list[str], day: date) -> Review:
    source = random.Random(f"{key}:{number}")
    stars = source.choices((5, 4, 3, 2, 1), weights)[0]
    mood = source.choice(_MOODS[stars])
    # A few buyers of each marketplace wrote in another one; Amazon shows those as they are.
    written_in = domain if source.random() > 0.03 else source.choice(["ca", "co.uk", "com.au"])
    return Review(
        id="R" + "".join(source.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(13)),
        stars=stars,
        title=source.choice(phrases.TITLES[mood]).format(thing=thing),
        text=_text(source, mood, thing),
        day=day,
        date_text=date_sentence(written_in, day),
        author=_author(source),
        profile="".join(source.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(28)),
        helpful=0 if source.random() < 0.7 else int(source.paretovariate(0.9)) % 900,
        verified=source.random() < 0.88,
        vine=source.random() < 0.03,
        variation=source.choice(variations),
        size=source.choice(phrases.SIZES) if source.random() < 0.6 else None,
        images=source.choice([None, None, None, 0, 0, 1, 3]),
    )


def _text(source: random.Random, mood: str, thing: str) -> str:
    dice = source.random()
    if dice < 0.03:
        return ""  # only stars were given
    count = 60 if dice > 0.995 else source.randint(1, 6)  # now and then a very long one
    chosen = [source.choice(phrases.SENTENCES[mood]) for _ in range(count)]
    text = " ".join(s.format(thing=thing, time=source.choice(phrases.TIMES), who=source.choice(phrases.WHO)) for s in chosen)
    if dice > 0.9:
        text = text.replace(". ", ".<br /><br />", 1).replace("'", "&#39;")
    return f"{text} {source.choice(phrases.EMOJI)}" if 0.3 < dice < 0.36 else text


def _author(source: random.Random) -> str:
    dice = source.random()
    if dice < 0.2:
        return source.choice(phrases.HANDLES)
    initial = source.choice("ABCDEFGHJKLMNPRSTVW")
    return f"{source.choice(phrases.NAMES)} {initial}." if dice < 0.7 else source.choice(phrases.NAMES)


def _edit_one(source: random.Random, reviews: list[Review]) -> None:
    """One of the 30 newest gets a further sentence: every unfiltered sweep of three pages or more must meet it."""
    index = source.randrange(min(30, len(reviews)))
    old = reviews[index]
    reviews[index] = replace(old, text=f"{old.text} {source.choice(phrases.EDITS)}".strip())
