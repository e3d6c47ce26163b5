"""Workers that die at their n-th commit, write or HTTP exchange. It counts by itself: the product has no hook for this.

    echo RUN KIND NUMBER MOMENT | python -m tests.faults.crash_worker

For each line, a forked process works on due runs until RUN is over, then prints the number of events of KIND. KIND is commit (of
a transaction), write (a statement that is its own transaction) or exchange; MOMENT is before or after the event. A second line
is the process's exit code: 99 if it died at the event. Forked, because starting Python takes ten times as long as the work.
"""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from apify_client.http_clients import ImpitHttpClient  # noqa: E402  Django must be set up first
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.db.backends.utils import CursorWrapper  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from competitors.jobs.amazon_review_scrape.parse import LANGUAGES  # noqa: E402
from competitors.reading import read_date  # noqa: E402
from pipeline.engine.workers.inline import work_one  # noqa: E402
from pipeline.models import Run  # noqa: E402

DIED = 99
count = 0
ours = False  # a write of this loop, not of the product


def counted(event, original, counts=lambda *args, **kwargs: True):
    def wrapper(*args, **kwargs):
        global count
        if event != kind or ours or not counts(*args, **kwargs):
            return original(*args, **kwargs)
        count += 1
        if count == number and moment == "before":
            os._exit(DIED)
        result = original(*args, **kwargs)
        if count == number:
            os._exit(DIED)
        return result

    return wrapper


def commits_itself(cursor, sql, *args):
    return sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) and not cursor.db.in_atomic_block


BaseDatabaseWrapper._commit = counted("commit", BaseDatabaseWrapper._commit)
CursorWrapper._execute = counted("write", CursorWrapper._execute, commits_itself)
CursorWrapper._executemany = counted("write", CursorWrapper._executemany, commits_itself)

ImpitHttpClient.send_request = counted("exchange", ImpitHttpClient.send_request)  # type: ignore[method-assign]


def work(run_id):
    global ours
    while Run.objects.filter(pk=run_id, status__in=["pending", "waiting", "running"]).exists():
        ours = True
        Run.objects.filter(status__in=["pending", "waiting"]).update(due_at=timezone.now())
        ours = False
        if work_one() is None:
            break
    print(count, flush=True)


reverse("admin:index")  # these two are slow the first time: before the fork, once is enough
read_date("", LANGUAGES)
for line in sys.stdin:
    run_id, kind, number, moment = line.split()
    number = int(number)
    child = os.fork()
    if not child:
        try:
            work(int(run_id))
        except BaseException:  # noqa: BLE001  the child must not return to this loop
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
