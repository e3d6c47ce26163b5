"""The tab Pending: one candidate on the desk, the others as cards; and what its buttons do, on every tab."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from competitors.models import MediaReason
from pipeline.views.access import back_to, needs

from ..decisions import Decided, decide, undo
from . import frame
from .finding.freshness import freshness
from .forms import TemplateForm
from .frame import Status
from .pictures import not_stored, with_pictures
from .template_filter import PendingFilter

PAGE_SIZE = 20
MOST_AT_ONCE = 200
ACTIONS = {
    "approve": (Status.APPROVED, "Approved"),
    "reject": (Status.REJECTED, "Rejected"),
    "archive": (Status.ARCHIVED, "Archived"),
    "put_back": (Status.PENDING, "Put back"),
}


@needs(frame.VIEW, platform=True)
def pending(request: HttpRequest) -> HttpResponse:
    """Order, page and the candidate on the desk are in the address."""
    asked = PendingFilter(request.GET)
    sheet = asked.sheet(asked.rows(), PAGE_SIZE)
    cards = with_pictures(sheet)
    desk = next((card for card in cards if card.row.pk == asked.open), cards[0] if cards else None)
    others = [card for card in cards if card is not desk]
    context = frame.frame(request, "templates") | {
        "filter": asked,
        "sheet": sheet,
        "desk": desk,
        "cards": others,
        "after": others[0] if others else None,
        "form": TemplateForm(instance=desk.row, auto_id="desk_%s") if desk else None,
        "here": request.get_full_path(),
        "not_stored": _not_stored(),
        "was": Status.PENDING,
        **freshness(request, "templates"),
    }
    return render(request, "competitors/template_scrape/pending.html", context)


@require_POST
@needs(frame.DECIDE, platform=True)
def decisions(request: HttpRequest) -> HttpResponse:
    """Decide about one candidate, or about all that are ticked. They must still be what the page showed."""
    action, keys = _asked(request.POST)
    was = request.POST.get("was", Status.PENDING)
    if not keys:
        messages.info(request, "Nothing was ticked, so nothing was changed.")
    else:
        status, words = ACTIONS[action]
        tell(request, decide(keys, was, status, request.user), words)
    return back_to(request, reverse("templates"))


@require_POST
@needs(frame.DECIDE, platform=True)
def undo_decision(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    """Restore what the candidates of one click were. `dismiss`: only take the offer to do so away."""
    if "dismiss" in request.POST:
        frame.forget(request)
        return back_to(request, reverse("templates"))
    undone = undo(batch, request.user)
    if (request.session.get(frame.UNDO) or {}).get("batch") == str(batch):
        frame.forget(request)
    if undone.done:
        messages.success(request, f"Undone: {_named(undone)} as before.")
    _tell_refused(request, undone)
    if not undone.done and not undone.refused:
        messages.info(request, "There is nothing to undo.")
    return back_to(request, reverse("templates"))


def tell(request: HttpRequest, decided: Decided, words: str) -> None:
    """Say what was done, with the way back, and what was not."""
    if decided.done:
        frame.remember(request, decided, f"{words} {_named(decided)}.")
    _tell_refused(request, decided)


def _tell_refused(request: HttpRequest, decided: Decided) -> None:
    for refusal in decided.refused[:5]:
        messages.warning(request, refusal)
    if len(decided.refused) > 5:
        messages.warning(request, f"{len(decided.refused) - 5} more were left as they are.")


def _named(decided: Decided) -> str:
    return f"“{decided.done[0].title[:80]}”" if len(decided.done) == 1 else f"{len(decided.done)} ads"


def _asked(data: QueryDict) -> tuple[str, list[int]]:
    """The action, and the candidates that it is about. A card's button carries its own; the bar's are about what is ticked."""
    for action in ACTIONS:
        if action in data:
            return action, _numbers([data[action]])
    bulk = data.get("bulk", "")
    return (bulk, _numbers(data.getlist("pick"))) if bulk in ACTIONS else ("", [])


def _numbers(given: list[Any]) -> list[int]:
    return [int(one) for one in given[:MOST_AT_ONCE] if one.isdecimal() and one.isascii() and len(one) < 19]


def _not_stored() -> list[tuple[str, int]]:
    """Why pictures of ads that a search found are missing, with how often."""
    counts = not_stored().order_by("reason").values_list("reason").annotate(n=Count("pk"))
    return [(MediaReason(reason).label, count) for reason, count in counts]
