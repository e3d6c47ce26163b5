"""A schedule's subjects start one after the other within the hour, or together again: what moves, before it does."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from ... import api, queries
from ...contract.errors import InvalidRequest, NotAllowed
from ...models import ScheduleRule
from ...people import brands_for
from ..access import needs, see_other
from .page import CHANGE, GONE, VIEW, address, seen_version

SHOWN = 50  # subjects


@require_http_methods(["GET", "POST"])
@needs(VIEW, CHANGE)
def schedule_spread(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(ScheduleRule.objects.filter(brands_for(request.user).q()).select_related("brand"), pk=pk)
    rows = queries.schedule_rows(rule.brand, request.user, only=rule.job_type)
    if not rows:
        messages.error(request, f"{GONE} Nothing was changed.")
        return see_other(address(rule.brand))
    (row,) = rows
    if request.method == "GET":
        moves = row.moves()
        context = {"row": row, "rule": rule, "moves": moves[:SHOWN], "more": len(moves) - SHOWN, "back": address(rule.brand)}
        return render(request, "pipeline/manager/schedules/spread.html", context)
    rule.version = seen_version(request)
    try:
        saved = api.spread_rule(rule, not rule.spread, request.user)
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
    else:
        how = "start one after the other within the hour" if saved.spread else "start together again"
        messages.success(request, format_html("{} saved: they {}. Undo is under Changes in its row.", row.handler.label, how))
    return see_other(address(rule.brand))
