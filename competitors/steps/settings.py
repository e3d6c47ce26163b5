"""What people set of the things that are scraped: saved with an event for each of them, which its page shows.

Each job type names these columns beside its model: `scraped_by(…, settings=…)`.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Model

from pipeline.api import record_change
from pipeline.words.foreign import shortened

from .subject_rows import settings_of, subjects_of_row

KIND = "settings"
LONGEST_VALUE = 80  # characters of it in the event


def save(row: Model, by: Any) -> None:
    """Save a new row, or one that was changed, and record what is different. `by`: None for another program."""
    stored = None if row._state.adding else type(row)._default_manager.filter(pk=row.pk).first()
    with transaction.atomic():
        row.save()
        if stored is None:
            record([row], "Added", by)
        elif words := "; ".join(_differences(stored, row)):
            record([stored, row], "Changed", by, words)


def record(rows: Iterable[Model], what: str, by: Any, words: str = "") -> None:
    """In the caller's transaction: 'Added by Anna.' for each subject of these rows."""
    subjects = dict.fromkeys(subject for row in rows for subject in subjects_of_row(row))
    if subjects:
        record_change(KIND, f"{what} by {by or 'another program'}{f': {words}' if words else ''}.", by, subjects=subjects)


def _differences(stored: Model, row: Model) -> Iterable[str]:
    for name in settings_of(type(row)):
        before, now = _words(stored, name), _words(row, name)
        if before != now:
            yield f"{row._meta.get_field(name).verbose_name} was {before}, is {now}"  # type: ignore[union-attr]


def _words(row: Any, name: str) -> str:
    display = getattr(row, f"get_{name}_display", None)
    value = display() if display else getattr(row, name)
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return "empty" if value in (None, "") else shortened(str(value), LONGEST_VALUE)
