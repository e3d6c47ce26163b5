from typing import Any

from django.core.management.base import BaseCommand

from ...checks import SAFETY
from ...engine.workers.supervisor import supervise


class Command(BaseCommand):
    help = "Run the workers: a supervised django-q2 cluster that claims due runs from the Run table. SIGTERM or Ctrl-C stops it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(tags=[SAFETY], include_deployment_checks=True)
        supervise()
