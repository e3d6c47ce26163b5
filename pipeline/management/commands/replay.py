from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipeline import api
from pipeline.models import Run

from ...contract.errors import PipelineError


class Command(BaseCommand):
    help = "Re-import a run's downloaded data. Free: it sends nothing to the upstream."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, help="the run's number")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, but change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = Run.objects.select_related("brand", "job").get(pk=options["run"])
        except Run.DoesNotExist:
            raise CommandError(f"There is no run {options['run']}.", returncode=2) from None
        try:
            result = api.replay(run, dry_run=options["dry_run"])
        except PipelineError as error:
            raise CommandError(str(error)) from error
        done = "Would re-import" if options["dry_run"] else "Re-imported"
        self.stdout.write(f"{done} {result.pages} downloaded pages of run {run.pk}, free: {result.done.summary}")
