"""All reviews of a made-up listing: the same for the same seed, ASIN and marketplace, on any machine.

A listing has 300 to 1,500 reviews on day 0. Each later day adds new ones at the front and edits one recent one.
"""

import random
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from . import phrases
from .wording import date_sentence

#: A fixed date: a review must have the same date in every scrape, so ages cannot count from today.
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
    """The listing after these days; each entry of ``days`` is that day's number of new reviews."""
    rng = random.Random(f"{seed}:{asin}:{domain}")
    name, thing = rng.choice(phrases.PRODUCTS)
    title = f"{rng.choice(phrases.BRANDS)} {name}, {rng.choice(phrases.SIZES)}"
    weights = rng.choice(_STAR_WEIGHTS)
    variations = [asin, asin, asin, *(f"B0{rng.randrange(36**4):08X}" for _ in range(2))]
    count = rng.randint(300, 1500)
    key = f"{seed}:{asin}:{domain}"
    reviews: list[Review] = []
    age = 0.0
    for number in range(count):
        age += rng.expovariate(1.5)  # about 1.5 reviews a day
        reviews.append(_review(key, number, domain, thing, weights, variations, DAY_ZERO - timedelta(days=int(age))))
    for day, coming in enumerate(days, start=1):
        _edit_one(random.Random(f"{key}:edit:{day}"), reviews)
        today = DAY_ZERO + timedelta(days=day)
        numbers = range(count, count + coming)
        reviews[:0] = [_review(key, number, domain, thing, weights, variations, today) for number in numbers]
        count += coming
    return Listing(asin, domain, title, thing, tuple(reviews))


def _review(key: str, number: int, domain: str, thing: str, weights: tuple[int, ...], variations: list[str], day: date) -> Review:
    rng = random.Random(f"{key}:{number}")
    stars = rng.choices((5, 4, 3, 2, 1), weights)[0]
    mood = rng.choice(_MOODS[stars])
    # Some reviews come from another marketplace; Amazon shows them with that marketplace's date sentence.
    written_in = domain if rng.random() > 0.03 else rng.choice(["ca", "co.uk", "com.au"])
    return Review(
        id="R" + "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(13)),
        stars=stars,
        title=rng.choice(phrases.TITLES[mood]).format(thing=thing),
        text=_text(rng, mood, thing),
        day=day,
        date_text=date_sentence(written_in, day),
        author=_author(rng),
        profile="".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(28)),
        helpful=0 if rng.random() < 0.7 else int(rng.paretovariate(0.9)) % 900,
        verified=rng.random() < 0.88,
        vine=rng.random() < 0.03,
        variation=rng.choice(variations),
        size=rng.choice(phrases.SIZES) if rng.random() < 0.6 else None,
        images=rng.choice([None, None, None, 0, 0, 1, 3]),
    )


def _text(rng: random.Random, mood: str, thing: str) -> str:
    dice = rng.random()
    if dice < 0.03:
        return ""  # a rating without text
    count = 60 if dice > 0.995 else rng.randint(1, 6)  # a few are very long
    chosen = [rng.choice(phrases.SENTENCES[mood]) for _ in range(count)]
    text = " ".join(s.format(thing=thing, time=rng.choice(phrases.TIMES), who=rng.choice(phrases.WHO)) for s in chosen)
    if dice > 0.9:
        text = text.replace(". ", ".<br /><br />", 1).replace("'", "&#39;")
    return f"{text} {rng.choice(phrases.EMOJI)}" if 0.3 < dice < 0.36 else text


def _author(rng: random.Random) -> str:
    dice = rng.random()
    if dice < 0.2:
        return rng.choice(phrases.HANDLES)
    initial = rng.choice("ABCDEFGHJKLMNPRSTVW")
    return f"{rng.choice(phrases.NAMES)} {initial}." if dice < 0.7 else rng.choice(phrases.NAMES)


def _edit_one(rng: random.Random, reviews: list[Review]) -> None:
    """Add a sentence to one of the 30 newest, so that every unfiltered query of three pages or more shows the edit."""
    index = rng.randrange(min(30, len(reviews)))
    old = reviews[index]
    reviews[index] = replace(old, text=f"{old.text} {rng.choice(phrases.EDITS)}".strip())
