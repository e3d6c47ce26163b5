"""Real posts and comments from JSON-lines files, served unchanged."""

import json
import re
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
        return [item for item in _read(files[number - 1 : number] if number else files) if item["kind"] == "post"]
    return [item for item in _read(files) if source.post_id in (item.get("postId"), item["id"])] or None


def _read(files: list[Path]) -> list[Item]:
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
