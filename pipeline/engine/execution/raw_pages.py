"""Downloaded pages as they are kept: as they came, compressed; unpacked only up to a limit."""

import json
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings

from ...contract.context import PageResult
from ...contract.errors import PermanentError
from ...contract.source import UNREAD, Page
from ...words.foreign import read_json

LEVEL = 4  # of 9: half the time of the usual 6, for pages that are a twentieth larger
Land = Callable[[list[Any], int], PageResult]


def compressed(page: Page) -> bytes:
    """The page as it came, even with half of a surrogate pair."""
    body = page.raw or json.dumps(page.items, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    return zlib.compress(body, LEVEL)


def unpacked(payload: bytes | memoryview) -> list[Any]:
    """The items of a kept page. PermanentError if they cannot be read, or are larger than an answer may be."""
    most = settings.PIPELINE_ANSWER_BYTES
    try:
        body = zlib.decompressobj().decompress(bytes(payload), most + 1)
        items = read_json(body) if len(body) <= most else None
    except (zlib.error, ValueError) as error:
        raise PermanentError(f"A downloaded page cannot be read: {error}.") from error
    if not isinstance(items, list):
        raise PermanentError(f"A downloaded page is no list, or larger than {most:,} bytes (PIPELINE_ANSWER_BYTES).")
    return items


def rejecting_unread(land: Land) -> Land:
    """`land`, which is not given the items that could not be read; they are counted and kept as rejected."""

    def landing(items: list[Any], offset: int) -> PageResult:
        unread = [item for item in items if isinstance(item, dict) and UNREAD in item]
        if not unread:
            return land(items, offset)
        result = land([item for item in items if not (isinstance(item, dict) and UNREAD in item)], offset)
        counts = Counter(result.counts) + Counter({"raw": len(unread), "rejected": len(unread)})
        return replace(result, counts=counts, rejected=[*result.rejected, *((str(item[UNREAD]), item) for item in unread)])

    return landing
