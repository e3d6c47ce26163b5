"""Two questions that a monitor asks without signing in. The answers hold nothing that is secret."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ...queries.manager.watch.figures import readiness

logger = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """The process answers. It asks nothing else, so that an outage of the database restarts no web server."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 if the database answers and a worker is alive, else 503."""
    try:
        found = readiness()
    except DatabaseError:
        logger.exception("The database does not answer.")
        return JsonResponse({"ready": False, "database": False, "workers": None, "oldest_due_seconds": None}, status=503)
    oldest = None if found.oldest_due is None else round(found.oldest_due, 1)
    answer = {"ready": found.ready, "database": True, "workers": found.workers, "oldest_due_seconds": oldest}
    return JsonResponse(answer, status=200 if found.ready else 503)
