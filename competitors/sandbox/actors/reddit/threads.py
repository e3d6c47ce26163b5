"""The made-up Reddit: which posts a search finds, and which comments a post has.

A post is made from its id and the seed alone, so that its address leads to the same post as the search that found it.
"""

import random
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from . import phrases
from .remarks import remark
from .source import Search

#: A fixed date: a post must have been written on the same day in every scrape, so ages cannot count from today.
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 31, "year": 366, "all": 20_000}
_POOLS, _POSTS, _SHARED = 4096, 1000, 0  # pool 0 is found by every search of its theme
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LEAST_ID = 36**5  # ids have six characters and more


@dataclass(frozen=True)
class Comment:
    id: str
    number: int
    parent: str  # of another comment; '' of the post
    depth: int
    body: str
    author: str
    score: int
    created: datetime


@dataclass(frozen=True)
class Post:
    id: str
    number: int  # within its pool
    theme: phrases.Theme
    subreddit: str
    title: str
    body: str
    author: str
    score: int
    comments: int  # as Reddit counts them, with removed ones
    created: datetime
    over_18: bool
    original: str  # of a crosspost, the id of the post that it repeats

    @property
    def permalink(self) -> str:
        slug = "_".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())
        return f"/r/{self.subreddit}/comments/{self.id}/{slug}/"


def found_by(search: Search, seed: int) -> list[Post]:
    """The posts that a search finds, most fitting ones first, as far as the subreddit can be read."""
    if search.closed:
        return []
    dice = random.Random(f"{seed}:{search.key}")
    theme = _theme_of(search.query)
    pool = 1 + zlib.crc32(search.key.encode()) % (_POOLS - 1)
    count = dice.randint(25, 60) if search.subreddit else dice.randint(60, 140)
    off_topic = 0.15 if search.subreddit else 0.55
    ids = []
    for number in range(count):
        place = 0 if dice.random() < off_topic else 1 + theme
        shared = place and dice.random() < 0.25
        ids.append(_id_of(place, _SHARED if shared else pool, dice.randrange(60) if shared else number))
    posts = [post for id_ in dict.fromkeys(ids) if (post := post_of(id_, seed))]
    since = NOW - timedelta(days=_DAYS[search.timeframe])
    posts = [post for post in posts if post.created >= since and (search.include_nsfw or not post.over_18 or post.number % 2)]
    match search.sort:
        case "top":
            posts.sort(key=lambda post: -post.score)
        case "new":
            posts.sort(key=lambda post: post.created, reverse=True)
        case "comments":
            posts.sort(key=lambda post: -post.comments)
    return posts


def post_of(id_: str, seed: int) -> Post | None:
    """The post of that id; None if there never was one."""
    value = int(id_, 36) - _LEAST_ID
    place, pool, number = value // (_POOLS * _POSTS), value // _POSTS % _POOLS, value % _POSTS
    if not 0 <= place <= len(phrases.ON_TOPIC):
        return None
    # A crosspost has the text of the post before it.
    original = _id_of(place, pool, number - 1) if number % 17 == 16 else ""
    if number % 34 in (15, 32):  # two posts repeat one that is never found
        original = _id_of(place, pool, 900 + number // 34)
    text = random.Random(f"{seed}:{original or id_}")
    own = random.Random(f"{seed}:{id_}:own")
    theme = phrases.ON_TOPIC[place - 1] if place else phrases.ELSEWHERE
    sentences = [
        text.choice(theme.openers),
        *text.sample(theme.telling, text.randint(1, 3)),
        *([remark(text, theme.parts)] if theme.parts and text.random() < 0.5 else []),
        *text.sample(theme.plain, text.randint(0, 2)),
    ]
    days = own.uniform(0, 28) if own.random() < 0.85 else own.uniform(28, 400)
    return Post(
        id=id_,
        number=number,
        theme=theme,
        subreddit=own.choice(theme.subreddits),
        title=text.choice(theme.titles),
        body=" ".join(sentences),
        author=_author(own),
        score=-3 if number % 29 == 28 else int(own.paretovariate(0.6) * 5) % 4000,
        comments=int(own.paretovariate(0.7) * 2) % 400,
        created=NOW - timedelta(days=days),
        over_18=number % 25 == 23,
        original=original,
    )


def comments_of(post: Post, seed: int, most: int) -> list[Comment]:
    """Fewer than the post counts, since removed ones are counted too. A third answer another comment."""
    dice = random.Random(f"{seed}:{post.id}:comments")
    comments: list[Comment] = []
    for number in range(min(int(post.comments * 0.9), most)):
        answered = dice.choice(comments) if comments and dice.random() < 0.33 else None
        telling = _told(dice, post.theme, dice.randint(0, 2))
        comments.append(
            Comment(
                id=f"{post.id}{_base36(number + 36)}",
                number=number,
                parent=answered.id if answered else "",
                depth=answered.depth + 1 if answered else 0,
                body=" ".join([*telling, *dice.sample(phrases.REPLIES, 0 if telling else 1)]),
                author=_author(dice),
                score=dice.randint(-4, 90),
                created=post.created + timedelta(minutes=7 * (number + 1)),
            )
        )
    return comments


def _told(dice: random.Random, theme: phrases.Theme, count: int) -> list[str]:
    return [remark(dice, theme.parts) for _ in range(count)] if theme.parts else dice.sample(theme.telling, count)


def _theme_of(query: str) -> int:
    """The theme that shares most words with the query; without any, one that is always the same for it."""
    words = set(query.lower().split())
    shared = [len(words & theme.words) for theme in phrases.ON_TOPIC]
    return shared.index(max(shared)) if any(shared) else zlib.crc32(query.lower().encode()) % len(shared)


def _author(dice: random.Random) -> str:
    return f"{dice.choice(phrases.NAMES)}_{dice.choice(phrases.NOUNS)}_{dice.randint(1, 999)}"


def _id_of(place: int, pool: int, number: int) -> str:
    return _base36(_LEAST_ID + (place * _POOLS + pool) * _POSTS + number)


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
