from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from ... import api
from ...contract.errors import NotAllowed
from ..backups import BackupFailed, postgresql, sqlite


class Command(BaseCommand):
    help = (
        "Put a backup into an empty database. The database then remembers that it was restored: before a run pays for anything,"
        " the data source is asked what was started since the backup."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        engine = sqlite if connection.vendor == "sqlite" else postgresql
        try:
            with file.open("rb") as backup:
                ours = backup.read(len(engine.BEGINS)) == engine.BEGINS
        except OSError as error:
            raise CommandError(f"Nothing was restored. {error}") from error
        if not ours:
            raise CommandError(f"Nothing was restored: {file} is no backup of a {connection.display_name} database.")
        if connection.introspection.table_names():
            raise CommandError("Nothing was restored: the database has tables. Name a new, empty one in DATABASE_URL.")
        try:
            engine.load(file)
        except (OSError, BackupFailed) as error:
            raise CommandError(f"Nothing was restored. {error}") from error
        try:
            taken_at = api.record_restore()
        except NotAllowed as error:
            raise CommandError(f"{error} Drop this database.") from error
        self.stdout.write(f"Restored the backup of {taken_at:%Y-%m-%d %H:%M:%S} UTC. Now run `manage.py migrate`.")
