"""The columns that a file of competitors can have beside the competitor's name: one entry for each kind of row.

A job type adds its own with `register`; export, preview and import then know it.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet

from pipeline.models import Brand

R = TypeVar("R", bound=Model)
COLUMNS: dict[str, "Column[Any]"] = {}  # by name, in the order of the exported file


class Column(ABC, Generic[R]):
    """Rows of a model that belong to a competitor, such as its Amazon URLs. A cell stands for one of them."""

    name: ClassVar[str]  # in the file's first row
    model: ClassVar[type[Model]]  # has a `competitor`, and constraints that keep `key` unique for it
    fields: ClassVar[list[str]]  # what update() may change

    @abstractmethod
    def read(self, text: str) -> R:
        """The unsaved row that the cell names, without its competitor. ValueError says what is wrong with the cell."""

    @abstractmethod
    def key(self, row: R) -> str:
        """What a competitor can have once."""

    @abstractmethod
    def cell(self, row: R) -> str:
        """The row as read() understands it."""

    @abstractmethod
    def update(self, row: R, read: R) -> str:
        """Take over into the stored row what the file has different, and say what changed; '' if nothing does."""

    def label(self, row: R) -> str:
        """The row in words."""
        return str(row)

    def rows(self, brand: Brand) -> QuerySet[Any]:
        """Of all of the brand's competitors, in the order of the exported file."""
        return self.model._default_manager.filter(competitor__brand=brand)

    def permission(self, action: str) -> str:
        return f"{self.model._meta.app_label}.{get_permission_codename(action, self.model._meta)}"


def register(column: Column[Any]) -> None:
    COLUMNS[column.name] = column


def exported_by(user: Any) -> list[Column[Any]]:
    """The columns of which the person may see the rows."""
    return [column for column in COLUMNS.values() if user.has_perm(column.permission("view"))]
