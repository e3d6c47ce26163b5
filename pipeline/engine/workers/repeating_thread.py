"""A thread that does something again and again beside the work, on a database connection of its own. It never raises."""

import logging
import threading
from abc import ABC, abstractmethod

from django.db import Error as DatabaseError
from django.db import connection

logger = logging.getLogger(__name__)


class RepeatingThread(threading.Thread, ABC):
    """Subclasses say what `turn` does. A turn that fails is tried again after the next `tick` seconds."""

    def __init__(self, name: str, tick: float):
        super().__init__(name=name, daemon=True)
        self.tick = tick
        self.ending = threading.Event()

    @abstractmethod
    def turn(self) -> None: ...

    def lost_database(self) -> None:
        """A turn met an error of the database."""

    def last(self) -> None:
        """After the last turn, if the database answers."""

    def stop(self) -> None:
        self.ending.set()

    def run(self) -> None:
        trouble = False
        while not self.ending.wait(self.tick):
            try:
                self.turn()
                if trouble:
                    logger.info("The %s gets through again.", self.name)
                trouble = False
            except DatabaseError as error:
                self.lost_database()
                if not trouble:  # once, not with every turn of a long night
                    logger.warning("The %s did not get through: %s", self.name, str(error).strip())
                trouble = True
                connection.close()
            except Exception:
                logger.exception("The %s met an error; it goes on.", self.name)
        try:
            self.last()
        except DatabaseError as error:
            logger.info("The %s ended without its last word: %s", self.name, str(error).strip())
        connection.close()
