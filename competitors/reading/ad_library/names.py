"""One name for each key of an item: the actor has written ad_archive_id, adArchiveID and adArchiveId."""

from collections.abc import Mapping
from typing import Any


class Names:
    """An object of an item. `names["ad_archive_id"]` is its value, however the key is written; None if there is none."""

    def __init__(self, value: Any) -> None:
        self._values: dict[str, Any] = {}
        for name, one in value.items() if isinstance(value, Mapping) else ():
            key = _plain(str(name))
            if self._values.get(key) in (None, ""):
                self._values[key] = one

    def __getitem__(self, name: str) -> Any:
        return self._values.get(_plain(name))

    def first(self, *names: str) -> Any:
        """The first of these values that is neither missing nor empty."""
        return next((value for name in names if (value := self[name]) not in (None, "")), None)

    def inside(self, name: str) -> "Names":
        """The object below that name; an empty one if there is none."""
        return Names(self[name])

    def each(self, name: str) -> list["Names"]:
        """The objects of the list below that name."""
        value = self[name]
        return [Names(one) for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()
