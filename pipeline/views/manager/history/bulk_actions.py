"""Bulk actions: the page before the click, the page of each, and the list of past ones.

The page before the click carries what it shows, signed: its runs, their price, and a token. So a click does what was read, and
the same page sent twice is one bulk action.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core import signing
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from .... import api, queries
from ....contract.errors import NotAllowed
from ....models import BulkAction
from ....queries.manager.history import bulk_actions as asked_of_many
from ...access import needs, see_other
from ...live import fragment
from .filter import HistoryFilter

Kind = BulkAction.Kind
VIEW = "pipeline.view_run"
PAGE, ITEMS = 25, 50
SALT = "pipeline.bulk_action"
GOOD_FOR = timedelta(hours=1)


def _page_before(kind: BulkAction.Kind) -> Callable[[HttpRequest], HttpResponseBase]:
    view = needs(VIEW, asked_of_many.PERMISSIONS[kind])(partial(_before_the_click, kind=kind))
    return require_http_methods(["GET", "HEAD", "POST"])(view)


def _before_the_click(request: HttpRequest, kind: BulkAction.Kind) -> HttpResponse:
    """GET: which runs, what it costs. POST: do that."""
    if request.method == "POST":
        return _start(request, kind)
    chosen = HistoryFilter(request.GET, request.user)
    back = f"{reverse('runs')}{chosen.url()}"
    if refused := _refusal(chosen):
        messages.error(request, refused)
        return redirect(back)
    plan = asked_of_many.plan(kind, chosen.asked, request.user)
    if plan.offer.more:
        messages.error(request, api.too_many())
        return redirect(back)
    if not plan.runs:
        messages.info(request, f"None of these runs can be {asked_of_many.PARTICIPLES[kind]}.")
        return redirect(back)
    return render(
        request,
        "pipeline/manager/bulk/new.html",
        {
            "plan": plan,
            "words": chosen.words,
            "back": back,
            "notes": _notes(plan.offer),
            "signed": _sign(request, kind, chosen, plan),
        },
    )


def _refusal(chosen: HistoryFilter) -> str:
    """Why no bulk action may follow this filter; '' if one may."""
    if chosen.ignored:  # without it, the others would find more runs than were meant
        return f"Correct the filter first. {' '.join(chosen.ignored)}"
    return api.NO_FILTER if chosen.everything else ""


def _notes(offer: asked_of_many.Offer) -> list[str]:
    """What to know before the click."""
    spends = offer.cost if offer.kind != Kind.CANCEL else None
    limit = queries.over_the_limit(spends, queries.spent_today()) if spends else ""
    return [words for words in (limit, queries.no_worker_since(timezone.now())) if words]


def _sign(request: HttpRequest, kind: str, chosen: HistoryFilter, plan: asked_of_many.Plan) -> str:
    by_state: defaultdict[str, list[int]] = defaultdict(list)
    for pk, state in plan.runs.items():
        by_state[state].append(pk)
    cost = plan.offer.cost
    told = {
        "token": uuid4().hex,
        "user": request.user.pk,
        "kind": kind,
        "query": chosen.url().removeprefix("?"),
        "words": chosen.words,
        "runs": by_state,
        "cost": None if cost is None else str(cost),
        "at": plan.at.isoformat(),
    }
    return signing.dumps(told, salt=SALT, compress=True)


def _start(request: HttpRequest, kind: str) -> HttpResponse:
    try:
        told: dict[str, Any] = signing.loads(request.POST.get("signed", ""), salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        told = {}
    if (told.get("user"), told.get("kind")) != (request.user.pk, kind):
        messages.error(request, "Nothing was done: that page is too old. Look at the runs once more, then confirm.")
        return see_other(reverse("runs"))
    wanted = api.Wanted(
        token=UUID(told["token"]),
        kind=kind,
        query=told["query"],
        words=told["words"],
        runs={pk: state for state, numbers in told["runs"].items() for pk in numbers},
        cost=None if told["cost"] is None else Decimal(told["cost"]),
        at=datetime.fromisoformat(told["at"]),
    )
    try:
        action, new = api.start_bulk_action(wanted, request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
        return see_other(f"{reverse('runs')}?{wanted.query}")
    if new:
        messages.success(request, f"{action} has started. You can leave this page: workers do it.")
    else:
        messages.info(request, f"{action} was started already. Nothing is done twice.")
    return see_other(action.get_absolute_url())


cancel, retry, run_now = (_page_before(kind) for kind in Kind)


@require_GET
@needs(VIEW)
def bulk_actions(request: HttpRequest) -> HttpResponse:
    """Past ones and those under way, newest first."""
    page = Paginator(asked_of_many.bulk_actions(request.user), PAGE).get_page(request.GET.get("page"))
    return render(request, "pipeline/manager/bulk/list.html", {"page": page, "rows": asked_of_many.bulk_rows(page)})


@require_GET
@needs(VIEW)
def bulk_action(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, and what came of each run."""
    return render(request, "pipeline/manager/bulk/one.html", _context(request, pk))


@require_GET
@needs(VIEW)
def bulk_action_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The page's body while it goes on."""
    return fragment(request, "pipeline/manager/bulk/_body.html", lambda: _context(request, pk))


@require_POST
@needs(VIEW, "pipeline.cancel_run")
def bulk_action_abort(request: HttpRequest, pk: int) -> HttpResponse:
    action = get_object_or_404(asked_of_many.bulk_actions(request.user), pk=pk)
    try:
        api.abort_bulk_action(action, request.user)
        messages.success(request, f"{action} is aborted. What it had done stays, the other runs are as they were.")
    except NotAllowed as error:
        messages.error(request, str(error))
    return see_other(action.get_absolute_url())


def _context(request: HttpRequest, pk: int) -> dict[str, Any]:
    action = get_object_or_404(asked_of_many.bulk_actions(request.user), pk=pk)
    page = Paginator(asked_of_many.items_of(action), ITEMS).get_page(request.GET.get("page"))
    (row,) = asked_of_many.bulk_rows([action])
    return {"row": row, "page": page, "items": asked_of_many.item_rows(page), "waits": asked_of_many.waits_for_a_worker(row)}
