"""What a replay of a run would change, before it is queued."""

from collections import Counter
from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from .... import api, queries
from ....contract.errors import InvalidRequest, NotAllowed
from ....models import Run
from ....people import brands_for
from ...access import needs, see_other

MOST_ITEMS = 5_000  # about a second, while the browser waits


@require_POST
@needs("pipeline.view_run", "pipeline.replay_run")
def dry_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Reads the downloaded data again and keeps nothing of it. The page's button queues the replay itself."""
    run = get_object_or_404(Run.objects.filter(brands_for(request.user).q()).select_related("brand", "job"), pk=pk)
    pages, items = queries.kept_pages(run)
    try:
        result = api.replay(run, request.user, dry_run=True) if items <= MOST_ITEMS else None
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
        return see_other(run.get_absolute_url())
    return render(
        request,
        "pipeline/manager/dry_run.html",
        {
            "run": run,
            "pages": pages,
            "items": items,
            "most": MOST_ITEMS,
            "done": result.done if result else None,
            "counts": _compared(run.counts or {}, result.done.counts) if result else [],
        },
    )


def _compared(then: Mapping[str, int], now: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Name, how many when it ran, and how many now."""
    names = [name for name, _ in queries.counts_in_order(Counter(then) + Counter(now))]
    return [(name, then.get(name, 0), now.get(name, 0)) for name in names]
