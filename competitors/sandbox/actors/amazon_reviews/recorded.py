"""Real items from JSON-lines files, served unchanged."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...plan import Item
from .query import PAGE_SIZE, Query
from .sweeps import error_item


def files_of(data: Path) -> list[Path]:
    return [data] if data.is_file() else sorted(data.glob("amazon_reviews*.jsonl"))


def recorded_pages(query: Query, data: Path) -> list[list[Item]] | None:
    """Every recorded item that matches the query, in file order; None if the files lack the ASIN.

    The limit of ten pages does not apply: tests need to import every recorded item."""
    items = _items_of(query.asin, data)
    if not items:
        return None
    hits = [item for item in items if _matches(query, item)]
    if not hits:
        return [[error_item(query, 1)]]
    return [hits[start : start + PAGE_SIZE] for start in range(0, len(hits), PAGE_SIZE)]


def _items_of(asin: str, data: Path) -> list[Item]:
    """ALL0000000 gets the items of all files, ALL0000001 those of the first file by name, and so on."""
    files = files_of(data)
    if number := re.fullmatch(r"ALL(\d{7})", asin):
        wanted = int(number[1])
        files = files if wanted == 0 else files[wanted - 1 : wanted]
        return [item for file in files for item in _read(file, file.stat().st_mtime_ns)]
    return [item for file in files for item in _read(file, file.stat().st_mtime_ns) if item.get("asin") == asin]


@lru_cache(maxsize=16)
def _read(file: Path, _changed: int) -> list[Item]:
    """Cached by modification time: a file that was edited between two runs is read again."""
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def _matches(query: Query, item: Item) -> bool:
    if query.stars is not None and _stars(item.get("rating")) != query.stars:
        return False
    if query.verified_only and not item.get("verified"):
        return False
    if query.media_only and not item.get("imageUrlList"):
        return False
    words = f"{item.get('title') or ''} {item.get('text') or ''}"
    return query.keyword is None or re.search(rf"\b{re.escape(query.keyword)}\b", words, re.IGNORECASE) is not None


def _stars(rating: Any) -> int | None:
    """5 for "5.0 out of 5 stars", 5.0 or "5,0 von 5 Sternen"."""
    found = re.match(r"\s*(\d)", str(rating))
    return int(found[1]) if found else None
