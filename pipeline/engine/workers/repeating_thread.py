"""A thread that repeats a task beside the work, on its own database connection. It never raises."""

import logging
import threading
from abc import ABC, abstractmethod

from django.db import Error as DatabaseError
from django.db import connection

logger = logging.getLogger(__name__)


class RepeatingThread(threading.Thread, ABC):
    """Subclasses define `work`, which is called every `interval` seconds, also after it has failed."""

    def __init__(self, name: str, interval: float):
        super().__init__(name=name, daemon=True)
        self.interval = interval
        self.ending = threading.Event()

    @abstractmethod
    def work(self) -> None: ...

    def lost_database(self) -> None:
        """Called when `work` had a database error."""

    def last(self) -> None:
        """Called after the last `work`."""

    def stop(self) -> None:
        self.ending.set()

    def run(self) -> None:
        trouble = False
        while not self.ending.wait(self.interval):
            try:
                self.work()
                if trouble:
                    logger.info("The %s works again.", self.name)
                trouble = False
            except DatabaseError as error:
                self.lost_database()
                if not trouble:  # once per outage, not every time
                    logger.warning("The %s had a database error, trying again: %s", self.name, str(error).strip())
                trouble = True
                connection.close()
            except Exception:
                logger.exception("The %s failed; it tries again.", self.name)
        try:
            self.last()
        except DatabaseError as error:
            logger.info("The %s could not record that it ended: %s", self.name, str(error).strip())
        connection.close()
