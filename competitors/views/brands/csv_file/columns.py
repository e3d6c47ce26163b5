"""The columns that a file of brands and competitors can have beside the names: one entry for each kind of row.

A job type adds its own with `register`; export, preview and import then know it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet

from pipeline.models import Brand

R = TypeVar("R", bound=Model)
COLUMNS: dict[str, "Column[Any]"] = {}  # by name, in the order of the exported file


class Column(ABC, Generic[R]):
    """Rows of a model that belong to a competitor, such as its Amazon URLs, or to a brand. A cell stands for one of them."""

    name: ClassVar[str]  # in the file's first row
    model: ClassVar[type[Model]]  # has an `owner`, and constraints that keep `key` unique for it
    owner: ClassVar[str] = "competitor"  # or "brand"
    fields: ClassVar[list[str]]  # what update() may change
    beside: ClassVar[str] = ""  # a second column, of what else the file says of the row

    @abstractmethod
    def read(self, text: str) -> R:
        """The unsaved row that the cell names, without its owner. ValueError says what is wrong with the cell."""

    def read_beside(self, row: R, text: str) -> None:
        """Take over what the cell beside says. ValueError says what is wrong with it."""

    def cell_beside(self, row: R) -> str:
        """As read_beside() understands it."""
        return ""

    @abstractmethod
    def key(self, row: R) -> str:
        """What an owner can have once."""

    @abstractmethod
    def cell(self, row: R) -> str:
        """The row as read() understands it."""

    @abstractmethod
    def update(self, row: R, read: R) -> str:
        """Take over into the stored row what the file has different, and say what changed; '' if nothing does."""

    def label(self, row: R) -> str:
        """The row in words."""
        return str(row)

    @property
    def of_brand(self) -> bool:
        return self.owner == "brand"

    def rows(self, brands: Iterable[Brand]) -> QuerySet[Any]:
        """Of all of these brands, or of their competitors, in the order of the exported file."""
        path = "brand" if self.of_brand else "competitor__brand"
        return self.model._default_manager.filter(**{f"{path}__in": brands})

    def imported(self, brands: Iterable[Brand], user: Any) -> None:
        """Called after an import that added rows for these brands."""

    def permission(self, action: str) -> str:
        return f"{self.model._meta.app_label}.{get_permission_codename(action, self.model._meta)}"


class ExclusiveColumn(Column[R]):
    """No two brands in use may have the same."""

    owner = "brand"

    @abstractmethod
    def taken(self, row: R, holder: Brand, user: Any) -> str:
        """Why the row cannot be added while that other brand has it."""


def register(column: Column[Any]) -> None:
    COLUMNS[column.name] = column


def names_of(columns: Iterable[Column[Any]]) -> list[str]:
    """In the order of a file: what belongs to competitors stands beside their names."""
    names = [(column.of_brand, name) for column in columns for name in (column.name, column.beside) if name]
    return [name for _, name in sorted(names, key=itemgetter(0))]


def exported_by(user: Any) -> list[Column[Any]]:
    """The columns of which the person may see the rows."""
    return [column for column in COLUMNS.values() if user.has_perm(column.permission("view"))]
