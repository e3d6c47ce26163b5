"""The limits of an upstream account: how many runs, and how much memory, may be in use there."""

from django.db.models import Count, Min, Sum
from django.utils import timezone

from ...contract.errors import BlockedError
from ...contract.source import Source, known_sources
from ...models import ConcurrencyLimit, UpstreamRun


def check_room(source: Source, memory_mb: int) -> None:
    """BlockedError if the account has no room for one more run. Runs in the intent's transaction, under the money lock."""
    for limit in ConcurrencyLimit.objects.filter(source=source.name):
        if words := _no_room(limit, source.label, memory_mb):
            raise BlockedError(words, seconds=10, limited=False)


def full_accounts() -> dict[str, str]:
    """The upstream accounts whose limits are reached, by source name, each with the reason.

    Only a hint: each start is checked again.
    """
    labels = {source.name: source.label for source in known_sources()}
    limits = ConcurrencyLimit.objects.filter(source__in=labels)
    reasons = {limit.source: _no_room(limit, labels[limit.source]) for limit in limits}
    return {source: words for source, words in reasons.items() if words}


def _no_room(limit: ConcurrencyLimit, label: str, memory_mb: int | None = None) -> str:
    """Why there is no room; '' if there is. A run of unknown memory counts as the smallest one that is running."""
    # An upstream run past its deadline uses nothing there any more, whatever became of our run.
    open_rows = UpstreamRun.objects.filter(source=limit.source, status__in=UpstreamRun.OPEN, deadline__gt=timezone.now())
    used = open_rows.aggregate(runs=Count("pk"), memory=Sum("memory_mb"), least=Min("memory_mb"))
    if not limit.max_running:
        return f"The limit for {label} is 0: nothing starts there until it is raised."
    if used["runs"] >= limit.max_running:
        # Not how many of them: whoever reads this may not see the other brands.
        return f"{label} is full: its limit of {limit.max_running} run{'' if limit.max_running == 1 else 's'} at once is reached."
    needed = memory_mb if memory_mb is not None else used["least"] or 0
    if limit.max_memory_mb is not None and (used["memory"] or 0) + needed > limit.max_memory_mb:
        words = f"{label} is full: too little of its {limit.max_memory_mb:,} MB is free"
        return f"{words}, and this run needs {memory_mb:,} MB." if memory_mb is not None else f"{words}."
    return ""
