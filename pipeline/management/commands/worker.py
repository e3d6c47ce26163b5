from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run the workers: a django-q2 cluster whose workers claim due runs from the Run table. Ends on SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        from pipeline.cluster import run_cluster  # django-q2 reads its settings at import

        run_cluster()
