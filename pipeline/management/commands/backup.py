from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.template.defaultfilters import filesizeformat

from ... import api
from ..backups import BackupFailed, postgresql, sqlite
from ..backups.private_file import written_whole


class Command(BaseCommand):
    help = (
        "Save the whole database in one file, as it is at one moment, while everything goes on. Pictures, videos and exports are"
        " files of their own: docs/how-to/back-up.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--overwrite", action="store_true", help="replace the file if it is there already")

    def handle(self, *args: Any, file: Path, overwrite: bool, **options: Any) -> None:
        engine = sqlite if connection.vendor == "sqlite" else postgresql
        try:
            with written_whole(file, overwrite=overwrite) as temporary:
                api.record_backup(file.name)  # before the copy: it tells a restore when the backup was made
                engine.save(temporary)
        except FileExistsError:
            raise CommandError(f"No backup was made: {file} exists. Choose another name, or use --overwrite.") from None
        except (OSError, DatabaseError, BackupFailed) as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stdout.write(f"Saved {file}, {filesizeformat(file.stat().st_size)}. Pictures, videos and exports are not in it.")
