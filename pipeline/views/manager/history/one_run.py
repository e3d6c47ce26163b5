"""The page of one run."""

from decimal import Decimal
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from .... import api, queries
from ....contract.errors import InvalidRequest, NotAllowed
from ....models import Run, RunLog
from ....models.runs import RunQuerySet
from ....people import brands_for, can_words, may
from ....words import stamp
from ....words.foreign import harmless
from ...access import back_to, needs
from ...live import fragment

LEVELS = [("", "All"), ("warning", "Warnings"), ("error", "Errors")]
SAVED = {"new": "tone-green", "changed": "tone-blue", "unchanged": "tone-grey", "duplicate": "dup", "rejected": "tone-red"}
NEAR = Decimal("0.8")  # of the most that a run may cost
TOLD_OVER = 10  # percent above the estimate
# action -> (permission, message); the api refuses what the state forbids
ACTIONS = {
    "cancel": ("pipeline.cancel_run", "Run {} is being cancelled. Paid-for data is saved first."),
    "retry": ("pipeline.scrape_run", "Run {} is queued again. Its finished steps are kept."),
    "run_now": ("pipeline.scrape_run", "Run {} is due now."),
    "accept": ("pipeline.accept_run", "Result of run {} accepted."),
    "start_again": ("pipeline.start_again_run", "Run {} restarted{}."),
    "run_again": ("pipeline.scrape_run", ""),
    "replay": ("pipeline.replay_run", ""),
    "end_upstream": ("pipeline.cancel_run", "What run {} left running is being stopped. Its data is saved first."),
    "adopt": ("pipeline.start_again_run", "Run {} continues with the run you named."),
}


class LogFilter(forms.Form):
    """The filter of a run's log."""

    level = forms.ChoiceField(
        required=False, choices=[("", "All"), ("warning", "Warnings and errors"), ("error", "Errors")], widget=forms.HiddenInput
    )
    find = forms.CharField(
        required=False,
        max_length=100,
        label="Search the log",
        widget=forms.SearchInput(attrs={"placeholder": "Search the log", "class": "control--s"}),
    )


@require_GET
@needs("pipeline.view_run")
def run_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What, who, when, its progress, and what to do now."""
    return render(request, "pipeline/run.html", _context(request, pk))


@require_GET
@needs("pipeline.view_run")
def run_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The page's body while the run is live."""
    return fragment(request, "pipeline/_run_body.html", lambda: _context(request, pk))


def _context(request: HttpRequest, pk: int) -> dict[str, object]:
    run = get_object_or_404(_open_runs(request).select_related("job", "brand", "created_by", "cancel_requested_by"), pk=pk)
    form = LogFilter(request.GET or None)
    form.is_valid()
    values = getattr(form, "cleaned_data", {})
    detail = queries.run_detail(run, request.user, level=values.get("level", ""), words=values.get("find", ""))
    return {
        "run": run,
        "detail": detail,
        "row": detail.row,
        "log_form": form,
        **_actions(request, detail),
        "log_query": urlencode({name: value for name, value in values.items() if value}),
        "level": values.get("level", ""),
        "levels": [(name, word, detail.log_counts[name]) for name, word in LEVELS],
        "saved": [(SAVED[name], count) for name, count in detail.counts],
        "cost": _cost(detail),
        "spent": [(tone, size) for tone, size in _spent(detail) if size],
        "brought": detail.brought if detail.brought and request.user.has_perm(detail.brought.permission) else None,
    }


def _spent(detail: queries.RunDetail) -> list[tuple[str, float]]:
    return [("tone-grey", detail.in_queue), ("tone-blue", detail.at_upstream), ("tone-green", detail.working)]


def _cost(detail: queries.RunDetail) -> dict[str, object] | None:
    """What was paid beside what was expected. `over`: by what percent, once no more is paid. `mark`: the tick of the estimate."""
    paid, expected = detail.run.cost_actual, detail.run.cost_estimate
    if paid is None or not detail.cap:
        return None
    over = round(100 * (paid / expected - 1)) if expected and detail.cost_settled else 0
    return {
        "tone": "amber" if paid >= NEAR * detail.cap else "grey",
        "mark": min(round(100 * expected / detail.cap), 100) if expected else 0,
        "over": over if over >= TOLD_OVER else 0,
    }


def _open_runs(request: HttpRequest) -> RunQuerySet:
    """The runs of the brands that are open to this person. Any other run is not found."""
    return Run.objects.filter(brands_for(request.user).q())


def _actions(request: HttpRequest, detail: queries.RunDetail) -> dict[str, object]:
    """`can`: the actions that the state offers and this person may do. `others_can`: who may do the others."""
    refused = {
        permission
        for action, (permission, _) in ACTIONS.items()
        if action in detail.offers and not may(request.user, permission, detail.run.brand_id)
    }
    return {
        "can": {action for action in detail.offers if ACTIONS[action][0] not in refused},
        "others_can": can_words(*refused) if refused else "",
        "may_debug": request.user.has_perm("pipeline.replay_run"),
    }


@require_GET
@needs("pipeline.view_run")
def run_log(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole log as text."""
    run = get_object_or_404(_open_runs(request), pk=pk)
    lines = (f"{stamp(line.at)} {line.level:7} {harmless(line.message)}\n" for line in RunLog.objects.filter(run=run).iterator())
    response = HttpResponse("".join(lines), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="run-{run.pk}.log"'
    return response


@require_POST
def run_action(request: HttpRequest, pk: int, action: str) -> HttpResponseBase:
    """Do one of ACTIONS to the run, then return to the page with the button."""
    if action not in ACTIONS:
        raise Http404
    permission, words = ACTIONS[action]
    return needs(permission)(_act)(request, pk, action, words)


def _act(request: HttpRequest, pk: int, action: str, words: str) -> HttpResponse:
    run = get_object_or_404(_open_runs(request).select_related("job", "brand"), pk=pk)
    leads_to = run.get_absolute_url()
    try:
        if action == "run_again":
            queued = api.run_again(run, request.user)
            leads_to = queued.run.get_absolute_url()
            said = "A new run is queued." if queued.created else queries.already_queued(queued.run, run.parameters, request.user)
            link = format_html('<a href="{}">See run {}</a>', queued.run.get_absolute_url(), queued.run.pk)
            messages.info(request, format_html("{} {}", said, link))
        elif action == "replay":
            queued = api.queue_replay(run, request.user)
            said = "A replay is queued." if queued.created else "A replay is queued already."
            link = format_html('<a href="{}">See run {}</a>', queued.run.get_absolute_url(), queued.run.pk)
            messages.info(request, format_html("{} {}", said, link))
        elif action == "adopt":
            api.adopt(run, request.POST.get("upstream_id", "").strip(), request.user)
            messages.success(request, words.format(run.pk))
        elif action == "start_again":
            api.start_again(run, request.user)
            estimate = run.cost_estimate
            messages.success(request, words.format(run.pk, "" if estimate is None else f" (about ${estimate:.2f})"))
        else:
            getattr(api, action)(run, request.user)
            messages.success(request, words.format(run.pk))
    except (NotAllowed, InvalidRequest) as error:
        messages.error(request, str(error))
    return back_to(request, leads_to)
