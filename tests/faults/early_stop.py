"""`manage.py worker`, told to stop just before its cluster forks the sentinel."""

import os
import signal
import time
from multiprocessing.process import BaseProcess

import django

django.setup()

from pipeline.engine.workers.supervisor import supervise  # noqa: E402  models need a set-up Django

start = BaseProcess.start
sent = False


def interrupted(self: BaseProcess) -> None:
    global sent
    if self.name != "cluster" and not sent:
        sent = True
        os.kill(os.getppid(), signal.SIGTERM)  # to the supervisor, which passes it on to this process
        time.sleep(2)
    start(self)


BaseProcess.start = interrupted  # type: ignore[method-assign]
supervise()
