"""The tab Active: what is live, why the rest waits, and the limits beside it."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from ... import queries
from ...models import ConcurrencyLimit, Run
from ...people import brands_for, may
from ..access import needs
from ..live import fragment
from .counts import remember
from .forms import ActiveFilter, LimitForm, NewLimitForm, PauseForm


@require_GET
@needs("pipeline.view_run")
def page(request: HttpRequest) -> HttpResponse:
    """Live runs in four groups, limits, pauses, and the forms that set them."""
    return render_page(request)


@require_GET
@needs("pipeline.view_run")
def live(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes."""
    return fragment(request, "pipeline/manager/_active.html", lambda: _context(request))


@require_GET
@needs("pipeline.view_run", "pipeline.cancel_run")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """What was spent and what a cancel saves, before the click that cancels."""
    runs = Run.objects.for_rows().filter(brands_for(request.user).q())
    run = get_object_or_404(runs, pk=pk)
    return render(request, "pipeline/manager/cancel.html", {"run": run, "cancel": queries.cancel_row(run, request.user)})


def render_page(request: HttpRequest, *, forms: dict[str, Any] | None = None, limit: LimitForm | None = None) -> HttpResponse:
    """`forms`, `limit`: those that were refused, with what was typed; the answer is then a 422."""
    context = _context(request, limit)
    if request.user.has_perm("pipeline.add_pause"):
        context["pause_form"] = PauseForm(user=request.user, prefix="pause")
    if request.user.has_perm("pipeline.add_concurrencylimit"):
        context["limit_form"] = NewLimitForm(user=request.user, prefix="limit")
    if "pause_form" in context or "limit_form" in context:
        open_brands = brands_for(request.user).rows().filter(archived_at=None).order_by("name")
        context["brands"] = open_brands.values_list("slug", "name")
    context |= {"filter": ActiveFilter(request.GET), "refused": bool(forms or limit), **(forms or {})}
    return render(request, "pipeline/manager/active.html", context, status=422 if forms or limit else 200)


def _context(request: HttpRequest, refused: LimitForm | None = None) -> dict[str, Any]:
    form = ActiveFilter(request.GET)
    job_type = form.cleaned_data["job_type"] if form.is_valid() else ""
    active = queries.active(request.user, job_type)
    if not job_type:
        remember(request.user, active=active.count)
    return {
        "active": active,
        "limits": [(row, _form(request, row.limit, refused)) for row in active.limits.rows],
        "query": urlencode({"job_type": job_type}) if job_type else "",
        "may_end": {one.pause.pk for one in active.limits.pauses if _may_set(request, "delete_pause", one.pause.brand_id)},
    }


def _form(request: HttpRequest, limit: ConcurrencyLimit | None, refused: LimitForm | None) -> LimitForm | None:
    """To change the limit, for who may."""
    if limit is None or not _may_set(request, "change_concurrencylimit", limit.brand_id):
        return None
    if refused is not None and refused.instance.pk == limit.pk:
        return refused
    return LimitForm(instance=limit, auto_id=f"limit{limit.pk}_%s")


def _may_set(request: HttpRequest, what: str, brand_id: Any) -> bool:
    return may(request.user, f"pipeline.{what}", brand_id) and (brand_id is not None or brands_for(request.user).every)
