"""Limits and pauses, set and ended from the tab Active."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from ... import api
from ...contract.errors import NotAllowed
from ...models import ConcurrencyLimit, Pause
from ...people import brands_for
from ..access import back_to, needs
from .active import render_page
from .forms import LimitForm, NewLimitForm, PauseForm


@require_POST
@needs("pipeline.view_run", "pipeline.add_concurrencylimit")
def new(request: HttpRequest) -> HttpResponse:
    """A limit for runs that have none."""
    form = NewLimitForm(request.POST, user=request.user, prefix="limit")
    if not form.is_valid():
        return render_page(request, forms={"limit_form": form})
    return _done(request, lambda: api.save_stop(form.save(commit=False), request.user), "The limit is set.")


@require_POST
@needs("pipeline.view_run", "pipeline.change_concurrencylimit")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another number, or with `remove` no limit any more."""
    limit = get_object_or_404(_open(ConcurrencyLimit.objects.all(), request), pk=pk)
    if "remove" in request.POST:
        return _done(request, lambda: api.remove_stop(limit, request.user), "The limit is removed.")
    form = LimitForm(request.POST, instance=limit, auto_id=f"limit{limit.pk}_%s")
    if not form.is_valid():
        return render_page(request, limit=form)
    return _done(request, lambda: api.save_stop(form.save(commit=False), request.user), "The limit is changed.")


@require_POST
@needs("pipeline.view_run", "pipeline.add_pause")
def pause(request: HttpRequest) -> HttpResponse:
    """Nothing of the chosen runs starts from now on."""
    form = PauseForm(request.POST, user=request.user, prefix="pause")
    if not form.is_valid():
        return render_page(request, forms={"pause_form": form})
    return _done(request, lambda: api.save_stop(form.save(commit=False), request.user), "Paused. What runs goes on.")


@require_POST
@needs("pipeline.view_run", "pipeline.delete_pause")
def end_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """What waited for it starts."""
    there = get_object_or_404(_open(Pause.objects.all(), request), pk=pk)
    return _done(request, lambda: api.remove_stop(there, request.user), "The pause is over. What waited for it can start.")


def _open(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """The rows that the person may set: those of all brands only for who sees all of them."""
    brands = brands_for(request.user)
    return rows if brands.every else rows.filter(brand__in=brands.rows())


def _done(request: HttpRequest, act: Any, words: str) -> HttpResponse:
    try:
        act()
        messages.success(request, words)
    except NotAllowed as error:
        messages.error(request, str(error))
    return back_to(request, reverse("active"))
