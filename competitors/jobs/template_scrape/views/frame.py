"""What every tab of the Template Queue shows: the tabs with their counts, and the way back from the last decision."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from competitors.models import TemplateCandidate

from ..decisions import Decided

VIEW, DECIDE = "competitors.view_templatecandidate", "competitors.change_templatecandidate"
SCRAPE, ADD, SCHEDULE = "competitors.scrape_libraryad", "competitors.add_templatecandidate", "pipeline.change_job"
UNDO = "template_undo"  # session key: the last decision, and what was done
Status = TemplateCandidate.Status
OF_STATUS = {
    Status.PENDING: ("Pending", "templates"),
    Status.APPROVED: ("Library", "template_library"),
    Status.REJECTED: ("Rejected", "templates_rejected"),
    Status.ARCHIVED: ("Archived", "templates_archived"),
}
WORK = {"template_ingest": ("Find ads", VIEW), "template_upload": ("Upload", ADD), "template_schedules": ("Schedule", VIEW)}


def frame(request: HttpRequest, current: str) -> dict[str, Any]:
    """Context of _head.html. `current`: the name of the tab's address."""
    counts = dict(TemplateCandidate.objects.order_by().values_list("status").annotate(n=Count("pk")))
    tabs = [
        {"label": label, "url": reverse(name), "count": counts.get(status, 0), "current": name == current}
        for status, (label, name) in OF_STATUS.items()
    ]
    tabs += [
        {"label": label, "url": reverse(name), "count": None, "current": name == current}
        for name, (label, permission) in WORK.items()
        if request.user.has_perm(permission)
    ]
    return {
        "tabs": tabs,
        "undoable": request.session.get(UNDO),
        "may_decide": request.user.has_perm(DECIDE),
        "may_scrape": request.user.has_perm(SCRAPE),
        "may_schedule": request.user.has_perm(SCHEDULE),
    }


def remember(request: HttpRequest, decided: Decided, words: str) -> None:
    """Offer to undo it until the next decision."""
    request.session[UNDO] = {"batch": str(decided.batch), "words": words}


def forget(request: HttpRequest) -> None:
    request.session.pop(UNDO, None)
