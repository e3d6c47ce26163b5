"""A worker that dies at its n-th commit, write or HTTP exchange. It counts by itself: the product has no hook for this.

    python -m tests.faults.crash_worker RUN KIND NUMBER MOMENT

Works on due runs until RUN has ended, then prints the number of events of KIND. KIND is commit (of a transaction), write (a
statement that is its own transaction) or exchange; MOMENT is before or after the event.
"""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from apify_client.http_clients import ImpitHttpClient  # noqa: E402  Django must be set up first
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.db.backends.utils import CursorWrapper  # noqa: E402

from pipeline.engine.workers.inline import work_one  # noqa: E402
from pipeline.models import Run  # noqa: E402

run_id, kind, number, moment = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
count = 0
ours = False  # a write of this loop, not of the product


def counted(event, original, counts=lambda *args, **kwargs: True):
    def wrapper(*args, **kwargs):
        global count
        if event != kind or ours or not counts(*args, **kwargs):
            return original(*args, **kwargs)
        count += 1
        if count == number and moment == "before":
            os._exit(99)
        result = original(*args, **kwargs)
        if count == number:
            os._exit(99)
        return result

    return wrapper


def commits_itself(cursor, sql, *args):
    return sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) and not cursor.db.in_atomic_block


BaseDatabaseWrapper._commit = counted("commit", BaseDatabaseWrapper._commit)
CursorWrapper._execute = counted("write", CursorWrapper._execute, commits_itself)
CursorWrapper._executemany = counted("write", CursorWrapper._executemany, commits_itself)

ImpitHttpClient.send_request = counted("exchange", ImpitHttpClient.send_request)  # type: ignore[method-assign]

while Run.objects.filter(pk=run_id, status__in=["pending", "waiting", "running"]).exists():
    ours = True
    Run.objects.filter(pk=run_id, status__in=["pending", "waiting"]).update(due_at=django.utils.timezone.now())
    ours = False
    if work_one() is None:
        break
sys.stdout.write(f"{count}\n")
