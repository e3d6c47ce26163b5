"""Lists that people save as a CSV file: one entry for each, by which a page sends a small one and a run makes a large one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import QueryDict

from ...words.cells import BYTE_ORDER_MARK, csv_text

CHUNK = 500  # rows that are read at once


@dataclass(frozen=True)
class ListFile:
    """What the file has. `rows`: in the file's order; what reads them piece by piece itself is read once for each use.
    `cells`: of one of them. The name must be plain ASCII.
    """

    name: str
    header: Sequence[str]
    rows: "QuerySet[Any] | Iterable[Any]"
    cells: Callable[[Any], Iterable[Any]] = iter

    def keys(self, most: int | None = None) -> Iterable[Any]:
        """Which rows: their keys are read first. An open query over all of them would be in the way of every writer on SQLite,
        and hold back PostgreSQL's clean-up.
        """
        if isinstance(self.rows, QuerySet):
            return list(self.rows.values_list("pk", flat=True)[:most])
        return self.rows if most is None else list(islice(self.rows, most))

    def text(self, keys: Iterable[Any]) -> Iterator[tuple[int, str]]:
        """The file in pieces, each with the number of rows up to its end. A row that is gone meanwhile is left out."""
        yield 0, BYTE_ORDER_MARK + csv_text([self.header])
        left, done = iter(keys), 0
        while some := list(islice(left, CHUNK)):
            done += len(some)
            rows: Iterable[Any] = self.rows.filter(pk__in=some) if isinstance(self.rows, QuerySet) else some
            yield done, csv_text(map(self.cells, rows))


@dataclass(frozen=True)
class ListExport:
    """`make(user, query, **address)`: the file for that address. `permissions` and `platform`: as a page's own."""

    name: str
    permissions: tuple[str, ...]
    platform: bool
    make: Callable[..., ListFile]

    def file(self, user: Any, query: QueryDict, address: Mapping[str, Any]) -> ListFile:
        return self.make(user, query, **address)


_lists: dict[str, ListExport] = {}


def list_export(name: str, *permissions: str, platform: bool = False) -> Callable[[Callable[..., ListFile]], ListExport]:
    """Register the function that makes a list's file. A run names the list by `name`: it has to stay the same."""

    def register(make: Callable[..., ListFile]) -> ListExport:
        if name in _lists and _lists[name].make.__module__ != make.__module__:
            raise ImproperlyConfigured(f"Two lists are exported as {name!r}: {_lists[name].make.__module__}, {make.__module__}.")
        _lists[name] = ListExport(name, permissions, platform, make)
        return _lists[name]

    return register


def find_export(name: str) -> ListExport | None:
    return _lists.get(name)
