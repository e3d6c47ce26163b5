"""Posts and comments as the actor writes them, with the irregularities of real items."""

from datetime import datetime
from typing import Any

from ...plan import Item
from .source import Search
from .threads import Comment, Post

_FORMS = 5  # of a time: ISO with Z, ISO with an offset, epoch as int, as float, as text
_MALFORMED: list[Item] = [{"id": ""}, {"id": None}, {"id": {"id": "1"}}, {"id": ["x"], "title": None}]


def post_item(post: Post, query: str, retrieved_at: str) -> Item:
    """Apart from `query` and `retrieved_at` it depends on the post only, so a new scrape finds no change."""
    oddity = post.number % 40
    unknown = oddity == 7
    is_link = oddity == 11
    body: dict[str, Any] = {"selftext": post.body} if oddity == 13 else {"body": post.body}
    if is_link or oddity in (17, 19):
        body = {"body": {11: "", 17: "[removed]", 19: None}[oddity]}
    item: Item = {
        "kind": "post",
        "query": query,
        "id": post.id,
        "title": post.title if oddity != 21 else post.title.replace("'", "&#39;"),
        **body,
        "author": _author(post.author, oddity),
        "author_fullname": f"t2_{post.id}",
        "score": None if unknown else post.score,
        "upvote_ratio": None if unknown else 0.93,
        "num_comments": None if unknown else post.comments,
        "score_hidden": False,
        "subreddit": post.subreddit,
        "subreddit_name_prefixed": f"r/{post.subreddit}",
        "created_utc": _moment(post.created, post.number),
        "permalink": post.permalink if oddity % 2 else f"https://www.reddit.com{post.permalink}",
        "url": "https://example.com/an-article" if is_link else f"https://www.reddit.com{post.permalink}",
        "canonical_url": f"https://www.reddit.com{post.permalink}",
        "flair": None if oddity % 3 else "Help",
        "over_18": post.over_18,
        "is_self": not is_link,
        "is_video": False,
        "is_gallery": False,
        "spoiler": False,
        "locked": False,
        "stickied": False,
        "distinguished": None,
        "edited": False,
        "archived": False,
        "domain": "example.com" if is_link else f"self.{post.subreddit}",
        "num_crossposts": 1 if oddity == 15 else 0,
        "is_deleted_or_removed": oddity == 17,
        "word_count": len(post.body.split()),
        "retrieved_at": retrieved_at,
    }
    return item | ({"crosspost_parent": f"t3_{post.original}"} if post.original else {})


def comment_item(comment: Comment, post: Post) -> Item:
    oddity = comment.number % 30
    body, author = comment.body, _author(comment.author, oddity)
    if oddity in (9, 21):
        body, author = ("[removed]", None) if oddity == 9 else ("[deleted]", "[deleted]")
    parent = f"t1_{comment.parent}" if comment.parent and oddity % 2 else comment.parent
    return {
        "kind": "comment",
        "id": comment.id,
        "postId": post.id,
        "parentId": parent or (f"t3_{post.id}" if oddity % 2 else post.id),
        "body": body,
        "author": author,
        "score": None if oddity == 5 else comment.score,
        "depth": comment.depth,
        "created_utc": _moment(comment.created, comment.number),
        "url": f"https://www.reddit.com{post.permalink}{comment.id}/",
        "permalink": f"{post.permalink}{comment.id}/",
        "subreddit": post.subreddit,
    }


def other_item(search: Search) -> Item:
    """An item of another kind, which a search in a subreddit brings first."""
    return {"kind": "community", "id": "t5_2qh1o", "name": search.subreddit, "subscribers": 41_000, "over_18": False}


def error_item(url: str) -> Item:
    return {"error": "The page could not be loaded", "url": url}


def malformed(item: Item, number: int) -> Item:
    """The item without a usable id, broken in turn in one of several ways."""
    return item | _MALFORMED[number % len(_MALFORMED)]


def without_score(item: Item) -> Item:
    """The post as it comes from a fallback that tells neither score nor number of comments."""
    return {name: value for name, value in item.items() if name not in ("score", "upvote_ratio")} | {"num_comments": None}


def _author(name: str, oddity: int) -> Any:
    return {3: {"name": name}, 5: None, 6: "[deleted]"}.get(oddity, name)


def _moment(at: datetime, number: int) -> Any:
    epoch = int(at.timestamp())
    return [
        at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        epoch,
        float(epoch),
        str(epoch),
    ][number % _FORMS]
