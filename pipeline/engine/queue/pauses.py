"""Pauses that have come to their end. The claim already passes over them; here each end becomes an event."""

from datetime import datetime

from django.db import transaction

from ...models import Pause
from ...words import clock
from ..journal import record_event


def end_pauses(at: datetime) -> None:
    """Remove each pause that is over, and record it."""
    for pause in Pause.objects.filter(until__lte=at).select_related("by", "brand"):
        with transaction.atomic():
            if Pause.objects.filter(pk=pause.pk, until=pause.until).delete()[0]:
                words = f"Pause “{pause}”, set by {pause.by or 'the system'} at {clock(pause.since)}, has ended."
                record_event("pause", words)
