"""Saves one page of items: posts, each once whatever it was found by or crossposted to, and comments of posts that are known."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Q

from competitors.models import RedditComment, RedditFinding, RedditPost
from competitors.reading.reddit import Comment, Post, Rejected, parse_item
from pipeline.contract import PageResult, land
from pipeline.contract.tally import NEW
from pipeline.models import Run

CONTENT = (
    "reddit_id",
    "subreddit",
    "title",
    "body",
    "author",
    "permalink",
    "score",
    "num_comments",
    "created_at",
    "over_18",
)
UNREAD = {"score": "no_score", "num_comments": "no_number", "created_utc": "no_date"}


def save_page(items: list[Any], run: Run, fetched: datetime, *, with_posts: bool) -> PageResult:
    """In the transaction of the page. Rejected items are kept with the reason.

    Without posts: those that come with their comments were saved by the start before, and the filters went by these.
    """
    posts: list[Post] = []
    comments: list[tuple[Comment, Any]] = []
    rejected: list[tuple[str, Any]] = []
    for item in items:
        read = parse_item(item)
        if isinstance(read, Rejected):
            rejected.append((read.reason, item))
        elif isinstance(read, Comment):
            comments.append((read, item))
        else:
            posts.append(read)
    counts = {"raw": len(items)}
    rows: dict[str, str] = {}
    if with_posts:
        counts["duplicate"] = len(posts) - len({post.reddit_id for post in posts})
        rows |= _save_posts(posts, run, fetched)
    else:
        counts["known_posts"] = len(posts)
    came, lost = _save_comments(comments, run, fetched)
    rejected += lost
    counts["rejected"] = len(rejected)
    return PageResult({name: count for name, count in counts.items() if count}, rejected, {**rows, **came})


def _save_posts(posts: list[Post], run: Run, fetched: datetime) -> dict[str, str]:
    """Save them, and that this research has found them. Returns what became of each, and what is to be counted about them."""
    chosen, marks = _without_crossposts(posts, run)
    if not chosen:
        return marks
    landed = land(
        RedditPost,
        [_row(run, original_id, post) for original_id, post in chosen.items()],
        key=("brand_id", "original_id"),
        content=CONTENT,
        touch={"last_seen_at": fetched, "last_run_id": run.pk},
        first={"first_seen_at": fetched, "first_run_id": run.pk},
        age="last_seen_at",
    )
    ids = dict(RedditPost.objects.filter(brand=run.brand, original_id__in=chosen).values_list("original_id", "pk"))
    found = [
        {"post_id": ids[original_id], "subject": run.subject, "unmeasured": not post.measured}
        for original_id, post in chosen.items()
    ]
    land(RedditFinding, found, key=("post_id", "subject"), touch={"last_run_id": run.pk})
    return {**landed.rows, **marks}


def _without_crossposts(posts: list[Post], run: Run) -> tuple[dict[str, Post], dict[str, str]]:
    """The posts that stay, by the post that they are or repeat: the original, else the earliest. And marks to be counted."""
    asked = {post.reddit_id for post in posts} | {post.original_id for post in posts}
    stored = RedditPost.objects.filter(Q(reddit_id__in=asked) | Q(original_id__in=asked), brand=run.brand)
    known = {row.original_id: row for row in stored}
    originals = {row.reddit_id: row.original_id for row in known.values()}  # as it was saved: it stays what it was
    chosen: dict[str, Post] = {}
    for post in posts:
        original_id = originals.setdefault(post.reddit_id, originals.get(post.original_id, post.original_id))
        other = chosen.get(original_id) or _as_post(known.get(original_id))
        if other is None:
            chosen[original_id] = post
        elif other.reddit_id == post.reddit_id:
            is_earlier = original_id not in chosen and known[original_id].last_run_id != run.pk
            chosen[original_id] = post if is_earlier else _filled(post, other)
        else:
            chosen[original_id] = min(other, post, key=partial(_order, original_id))
    came = {post.reddit_id for post in posts} | {row.reddit_id for row in known.values() if row.last_run_id == run.pk}
    gone = came - {post.reddit_id for post in chosen.values()}
    return chosen, {f"{reddit_id} crosspost": "crossposts" for reddit_id in gone} | _unread(chosen.values())


def _order(original_id: str, post: Post) -> tuple[bool, bool, float, str]:
    at = post.created_at
    return post.reddit_id != original_id, at is None, at.timestamp() if at else 0, post.reddit_id


def _filled(post: Post, other: Post) -> Post:
    """The same post, found twice by one scrape: what the later item lacks is taken from the other."""
    score = other.score if post.score is None else post.score
    num_comments = other.num_comments if post.num_comments is None else post.num_comments
    return replace(post, score=score, num_comments=num_comments, created_at=post.created_at or other.created_at)


def _as_post(row: RedditPost | None) -> Post | None:
    return Post(original_id=row.original_id, unread=(), **{name: getattr(row, name) for name in CONTENT}) if row else None


def _row(run: Run, original_id: str, post: Post) -> dict[str, Any]:
    content = {name: getattr(post, name) for name in CONTENT}
    text = RedditPost.searchable(post.title, post.body)
    return {"brand_id": run.brand_id, "original_id": original_id, **content, "search_text": text}


def _unread(posts: Iterable[Post]) -> dict[str, str]:
    return {f"{post.reddit_id} without {name}": UNREAD[name] for post in posts for name in post.unread}


def _save_comments(
    comments: list[tuple[Comment, Any]], run: Run, fetched: datetime
) -> tuple[dict[str, str], list[tuple[str, Any]]]:
    """Save those of posts that are known. Returns marks that count them, and the others with the reason."""
    if not comments:
        return {}, []
    wanted = {comment.post_id for comment, _ in comments}
    posts = dict(RedditPost.objects.filter(brand=run.brand, reddit_id__in=wanted).values_list("reddit_id", "pk"))
    rows = [
        {
            "post_id": posts[comment.post_id],
            "reddit_id": comment.reddit_id,
            "parent_id": comment.parent_id,
            "body": comment.body,
            "author": comment.author,
            "score": comment.score,
            "created_at": comment.created_at,
        }
        for comment, _ in comments
        if comment.post_id in posts
    ]
    landed = land(
        RedditComment,
        rows,
        key=("post_id", "reddit_id"),
        touch={"last_seen_at": fetched, "last_run_id": run.pk},
        first={"first_seen_at": fetched},
        age="last_seen_at",
    )
    marks = {f"{key} came": "comments" for key in landed.rows}
    marks |= {f"{key} is new": "new_comments" for key, became in landed.rows.items() if became == NEW}
    lost = [("The post of this comment was not asked for", item) for comment, item in comments if comment.post_id not in posts]
    return marks, lost
