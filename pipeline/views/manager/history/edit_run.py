"""A new run like an earlier one, with other parameters. Its price is said before it can be queued."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from .... import api, queries
from ....contract.errors import InvalidRequest, NotAllowed
from ....contract.registry import find_type
from ....models import Run
from ....people import brands_for
from ...access import needs, see_other


@require_http_methods(["GET", "POST"])
@needs("pipeline.scrape_run")
def edit_run(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of the run's type. POST says the price of what is filled in; with `go` it queues the run and leads to it."""
    run = get_object_or_404(Run.objects.filter(brands_for(request.user).q()).select_related("brand", "job"), pk=pk)
    handler = find_type(run.job_type)
    if handler is None or not handler.Params.base_fields:
        raise Http404
    if request.method == "GET":
        return _page(request, run, handler.Params(initial=run.parameters, brand=run.brand))
    form = handler.Params(request.POST, brand=run.brand)
    if not form.is_valid():
        return _page(request, run, form, status=422)
    if "go" not in request.POST:
        return _page(request, run, form, price=queries.estimate_for(run.job_type, run.brand, form.cleaned_data), priced=True)
    try:
        queued = api.queue_one_time_job(run.brand_id, run.job_type, form.cleaned_data, created_by=request.user)
    except (NotAllowed, InvalidRequest) as error:
        messages.error(request, str(error))
        return _page(request, run, form, status=422)
    if queued.created:
        messages.success(request, f"A new run is queued, like run {run.pk} with these parameters.")
    else:
        messages.info(request, queries.already_queued(queued.run, form.cleaned_data, request.user))
    return see_other(queued.run.get_absolute_url())


def _page(request: HttpRequest, run: Run, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, "pipeline/manager/edit_run.html", {"run": run, "form": form, **context}, status=status)
