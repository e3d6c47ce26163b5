from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipeline import api
from pipeline.models import Run

from ...contract.errors import PipelineError


class Command(BaseCommand):
    help = "Ingest a run's kept pages again, free: nothing is asked of the upstream."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, help="the run's number")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = Run.objects.select_related("brand", "job").get(pk=options["run"])
        except Run.DoesNotExist:
            raise CommandError(f"There is no run {options['run']}.", returncode=2) from None
        try:
            result = api.replay(run, dry_run=options["dry_run"])
        except PipelineError as error:
            raise CommandError(str(error)) from error
        would = "Would read" if options["dry_run"] else "Read"
        self.stdout.write(f"{would} {result.pages} kept pages of run {run.pk} again, nothing paid: {result.done.summary}")
