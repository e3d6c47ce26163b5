"""Real ads from JSON-lines files, served unchanged."""

import json
import re
from pathlib import Path

from ...plan import Item
from .source import Source


def recorded_ads(source: Source, data: Path) -> list[Item]:
    """The recorded ads of the source's page, in file order. Files in the older shape are read too.

    A search for ALL0000000 gets the ads of all files, ALL0000001 those of the first file by name, and so on."""
    files = [data] if data.is_file() else sorted(data.glob("meta_ads*.jsonl"))
    everything = re.fullmatch(r"search:all(\d{7})", source.key)
    if everything and (wanted := int(everything[1])):
        files = files[wanted - 1 : wanted]
    items = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    ads = [item for item in items if "ad_archive_id" in item or "adArchiveID" in item]
    if everything:
        return ads
    return [ad for ad in ads if source.page_id and source.page_id in (ad.get("page_id"), ad.get("pageID"))]
