"""Notifications without a worker: the one thing that no worker can tell is that none is alive."""

import logging
import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import connection

from pipeline import api, queries
from pipeline.jobs.deliver import watch
from pipeline.queries.manager.watch.troubles import no_worker

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Look at the rules of notifications while no worker is alive, and send the messages from this process. Does nothing"
        " while a worker is alive: workers look by themselves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, metavar="S", help="look again every S seconds, until it is stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        with suppress(KeyboardInterrupt):
            self.watch(options["every"])

    def watch(self, every: float | None) -> None:
        while True:
            try:
                if sent := self.look():
                    self.stdout.write(f"{sent} sent.")
            except DatabaseError as error:
                if not every:
                    raise
                logger.warning("The database does not answer: %s", str(error).strip())
                connection.close()
            if not every:
                return
            time.sleep(max(every, 1))

    def look(self) -> int:
        at = queries.database_now()
        if no_worker(at) is None:
            return 0
        watch.look_if_due()
        return api.work_here(api.DELIVER)
