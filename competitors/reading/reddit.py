"""One item of a Reddit actor → one post or one comment, in any of the forms that it has had. Pure, and never raises.

A value that is missing or cannot be read is None or empty, never a guess: a missing score is not known, which is not 0.
An item is rejected only if it is neither a post nor a comment, or has no id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from .ad_library.names import Names
from .counts import read_count
from .dates import AHEAD
from .text import decoded, plain, text, visible

FOUNDED = datetime(2005, 6, 1, tzinfo=UTC)  # nothing on Reddit is older
LONGEST_PATH = 400
_KINDS = {"post": "post", "t3": "post", "comment": "comment", "t1": "comment"}
_ID = re.compile(r"(?:t[13]_)?([0-9a-z]{1,15})", re.ASCII)
_EPOCH = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,9})?", re.ASCII)
_MILLISECONDS = re.compile(r"[0-9]{12,13}", re.ASCII)
_PATH = re.compile(r"/(?:r|u|user)/[\w.-]+/comments/[0-9a-z]+(?:/[^?#\s]*)?", re.IGNORECASE)
_GONE = re.compile(r"\[\s*(?:deleted|removed)\b[^\[\]]*\]", re.IGNORECASE)  # also "[removed by Reddit]", "[deleted by user]"


@dataclass(frozen=True)
class Post:
    """`original_id`: of a crosspost, the post that it repeats; else its own id. `unread`: fields given that could not be read."""

    reddit_id: str
    original_id: str
    subreddit: str
    title: str
    body: str
    author: str
    permalink: str
    score: int | None
    num_comments: int | None
    created_at: datetime | None
    over_18: bool
    unread: tuple[str, ...]

    @property
    def measured(self) -> bool:
        return self.score is not None and self.num_comments is not None

    @property
    def is_crosspost(self) -> bool:
        return self.original_id != self.reddit_id


@dataclass(frozen=True)
class Comment:
    """`parent_id`: the comment that it answers; '' if it answers the post."""

    reddit_id: str
    post_id: str
    parent_id: str
    body: str
    author: str
    score: int | None
    created_at: datetime | None


@dataclass(frozen=True)
class Rejected:
    reason: str


def parse_item(given: Any) -> Post | Comment | Rejected:
    """The post or the comment of one item."""
    if not isinstance(given, Mapping):
        return Rejected("Not an object")
    item = Names(given)
    reddit_id = read_id(item["id"])
    if not reddit_id and item.first("error", "errorCode"):
        return Rejected("An error instead of a post")
    kind = _KINDS.get(plain(item.first("kind", "dataType"))) or ("" if item["kind"] else _kind_by_fields(item))
    if not kind:
        return Rejected("Neither a post nor a comment")
    if not reddit_id:
        return Rejected(f"No id of the {kind}")
    return _post(item, reddit_id) if kind == "post" else _comment(item, reddit_id)


def read_id(value: Any) -> str:
    """An id without t1_ or t3_ before it. '' for what is none."""
    found = _ID.fullmatch(visible(text(value)).lower()) if isinstance(value, str | int) else None
    return found[1] if found else ""


def read_moment(value: Any) -> datetime | None:
    """The time of an ISO text, which is in UTC if it names no zone, or of epoch seconds or milliseconds."""
    given = visible(text(value))
    try:
        if _MILLISECONDS.fullmatch(given):
            at = datetime.fromtimestamp(int(given) / 1000, UTC)
        elif _EPOCH.fullmatch(given):
            at = datetime.fromtimestamp(float(given), UTC)
        else:
            at = datetime.fromisoformat(given)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if FOUNDED - timedelta(days=1) <= at <= timezone.now() + AHEAD else None


def read_score(value: Any) -> int | None:
    """Upvotes less downvotes, which may be below 0."""
    if isinstance(value, str) and plain(value).startswith(("-", "−")):
        below = read_count(plain(value)[1:].strip())
    elif isinstance(value, int | float) and value < 0:
        below = read_count(-value)
    else:
        return read_count(value)
    return None if below is None else -below


def _kind_by_fields(item: Names) -> str:
    if item.first("postId"):
        return "comment"
    return "post" if item.first("title") else ""


def _post(item: Names, reddit_id: str) -> Post:
    parents = item.each("crosspost_parent_list")
    hidden = item["score_hidden"] is True
    score, num_comments = (None if hidden else read_score(item["score"])), read_count(item["num_comments"])
    created_at = read_moment(item["created_utc"])
    read = {"score": hidden or score, "num_comments": num_comments, "created_utc": created_at}
    return Post(
        reddit_id=reddit_id,
        original_id=read_id(item["crosspost_parent"]) or (read_id(parents[0]["id"]) if parents else "") or reddit_id,
        subreddit=_subreddit(item),
        title=decoded(item["title"]).strip(),
        body=_body(item),
        author=_author(item["author"]),
        permalink=_path(item["permalink"]) or _path(item["url"]),
        score=score,
        num_comments=num_comments,
        created_at=created_at,
        over_18=item["over_18"] is True or plain(item["over_18"]) in ("true", "1"),
        unread=tuple(name for name, value in read.items() if value is None and item[name] not in (None, "")),
    )


def _comment(item: Names, reddit_id: str) -> Comment | Rejected:
    post_id, parent = read_id(item.first("postId", "link_id")), text(item["parentId"])
    if not post_id:
        return Rejected("A comment without the id of its post")
    parent_id = read_id(parent)
    return Comment(
        reddit_id=reddit_id,
        post_id=post_id,
        parent_id="" if parent_id == post_id or parent.startswith("t3_") else parent_id,
        body=_body(item),
        author=_author(item["author"]),
        score=None if item["score_hidden"] is True else read_score(item["score"]),
        created_at=read_moment(item["created_utc"]),
    )


def _body(item: Names) -> str:
    """'' where it was removed or deleted, and of a post that is only a link."""
    found = decoded(item.first("body", "selftext")).strip()
    return "" if _GONE.fullmatch(found) else found


def _author(value: Any) -> str:
    """A name, or an object with a name. '' where the author is gone."""
    found = visible(text(Names(value).first("name", "username") if isinstance(value, Mapping) else value))
    return "" if _GONE.fullmatch(found) else found.removeprefix("u/")


def _subreddit(item: Names) -> str:
    found = visible(text(item.first("subreddit", "subreddit_name_prefixed")))
    return found.removeprefix("/").removeprefix("r/")


def _path(value: Any) -> str:
    """The path of a post's address, which comes with and without its host. '' for what leads elsewhere."""
    given = "".join(char for char in text(value) if char.isprintable()).strip()
    try:
        parts = urlsplit(given)
        host = parts.hostname or ""
    except ValueError:  # such as a lone bracket in its host
        return ""
    ours = (not parts.netloc and not parts.scheme) or host == "reddit.com" or host.endswith(".reddit.com")
    found = _PATH.fullmatch(parts.path) if ours else None
    return found[0] if found and len(found[0]) <= LONGEST_PATH else ""
