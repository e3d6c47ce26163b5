"""Real posts and comments from JSON-lines files, served unchanged."""

import json
import re
from functools import cache
from pathlib import Path

from ...plan import Item
from .source import Search, Thread


def recorded_items(source: Search | Thread, data: Path) -> list[Item] | None:
    """A search for all0000000 finds the posts of all files, all0000001 those of the first file by name, and so on.

    An address finds its post and the comments below it. None if the files have nothing of that kind.
    """
    files = [data] if data.is_file() else sorted(data.glob("reddit*.jsonl"))
    if isinstance(source, Search):
        wanted = re.fullmatch(r"all(\d{7})", source.query)
        if not wanted:
            return None
        number = int(wanted[1])
        chosen = files[number - 1 : number] if number else files
        return [item for file in chosen for item in _read(file) if item["kind"] == "post"]
    return [item for file in files for item in _threads(file).get(source.post_id, [])] or None


@cache
def _read(file: Path) -> list[Item]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


@cache
def _threads(file: Path) -> dict[str, list[Item]]:
    """By the id of a post: it and its comments. There may be hundreds of addresses to look up."""
    found: dict[str, list[Item]] = {}
    for item in _read(file):
        found.setdefault(item.get("postId") or item["id"], []).append(item)
    return found
