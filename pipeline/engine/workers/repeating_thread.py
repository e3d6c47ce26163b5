"""A thread that repeats a task beside the work, on its own database connection. It never raises."""

import logging
import threading
from abc import ABC, abstractmethod

from django.db import Error as DatabaseError
from django.db import connection

logger = logging.getLogger(__name__)


class RepeatingThread(threading.Thread, ABC):
    """Subclasses define `turn`. A turn that fails is tried again after `tick` seconds."""

    def __init__(self, name: str, tick: float):
        super().__init__(name=name, daemon=True)
        self.tick = tick
        self.ending = threading.Event()

    @abstractmethod
    def turn(self) -> None: ...

    def lost_database(self) -> None:
        """Called when a turn had a database error."""

    def last(self) -> None:
        """Called after the last turn."""

    def stop(self) -> None:
        self.ending.set()

    def run(self) -> None:
        trouble = False
        while not self.ending.wait(self.tick):
            try:
                self.turn()
                if trouble:
                    logger.info("The %s works again.", self.name)
                trouble = False
            except DatabaseError as error:
                self.lost_database()
                if not trouble:  # once per outage, not at every turn
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
