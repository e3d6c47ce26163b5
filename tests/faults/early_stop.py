"""`manage.py worker` that is told to stop while its cluster is about to fork the sentinel."""

import os
import signal
import time
from multiprocessing.process import BaseProcess

import django

from pipeline.engine.workers.supervisor import supervise

django.setup()


start = BaseProcess.start
come = False


def interrupted(self: BaseProcess) -> None:
    global come
    if self.name != "cluster" and not come:
        come = True
        os.kill(os.getppid(), signal.SIGTERM)  # the supervisor, which passes it on to this process
        time.sleep(2)
    start(self)


BaseProcess.start = interrupted  # type: ignore[method-assign]
supervise()
