"""What a backup and a restore leave in the database: when the backup was made, and that it was restored."""

from datetime import UTC, datetime

from django.db import transaction

from ...contract.errors import NotAllowed
from ...engine.database import now
from ...engine.journal import record_event
from ...models import Event, Restore
from ...people import end_every_session

BACKUP = "backup"


def record_backup(name: str) -> None:
    """Before the copy is made, which contains it."""
    record_event(BACKUP, f"A backup is being saved as {name}.")


def record_restore() -> datetime:
    """Returns when the backup was made. From now on what was paid for since then is looked for before anything is paid.

    Everybody is signed out.
    """
    backup = Event.objects.filter(kind=BACKUP).order_by("-pk").first()
    if backup is None:
        raise NotAllowed("This backup does not say when it was made. Only files of `manage.py backup` can be restored.")
    with transaction.atomic():
        end_every_session()
        Restore.objects.create(taken_at=backup.at, at=now())
        record_event("restored", f"The database was restored from the backup of {backup.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC.")
    return backup.at.astimezone(UTC)
