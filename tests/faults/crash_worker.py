"""A worker that dies at its n-th commit or HTTP exchange. It counts by itself: the product has no hook for this.

    python -m tests.faults.crash_worker RUN KIND NUMBER MOMENT

Works on due runs until RUN has ended, then prints the number of events of KIND. KIND is commit or exchange;
MOMENT is before or after the event.
"""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from apify_client.http_clients import ImpitHttpClient  # noqa: E402  Django must be set up first
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402

from pipeline.engine.workers.inline import work_one  # noqa: E402
from pipeline.models import Run  # noqa: E402

run_id, kind, number, moment = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
count = 0


def counted(event, original):
    def wrapper(*args, **kwargs):
        global count
        if event != kind:
            return original(*args, **kwargs)
        count += 1
        if count == number and moment == "before":
            os._exit(99)
        result = original(*args, **kwargs)
        if count == number:
            os._exit(99)
        return result

    return wrapper


BaseDatabaseWrapper._commit = counted("commit", BaseDatabaseWrapper._commit)


ImpitHttpClient.send_request = counted("exchange", ImpitHttpClient.send_request)  # type: ignore[method-assign]

while Run.objects.filter(pk=run_id, status__in=["pending", "waiting", "running"]).exists():
    Run.objects.filter(pk=run_id, status__in=["pending", "waiting"]).update(due_at=django.utils.timezone.now())
    if work_one() is None:
        break
sys.stdout.write(f"{count}\n")
