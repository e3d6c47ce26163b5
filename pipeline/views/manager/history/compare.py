"""Two runs beside each other."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from ....models import Run
from ....people import brands_for
from ....queries.manager.history.compare import compare as compared
from ...access import needs


@require_GET
@needs("pipeline.view_run")
def compare(request: HttpRequest) -> HttpResponse:
    """`a` and `b` are numbers of runs; or `run` twice, from the boxes of a list, the older one first."""
    picked = [request.GET.get("a", ""), request.GET.get("b", "")] if "a" in request.GET else request.GET.getlist("run")
    numbers = [int(number) for number in picked if number.isascii() and number.isdigit() and len(number) < 19]
    if len(numbers) != 2 or len(picked) != 2:
        messages.error(request, "Choose two runs, then press Compare.")
        return redirect("runs")
    if "a" not in request.GET:
        a, b = sorted(numbers)
        return redirect(f"{reverse('runs_compare')}?a={a}&b={b}")
    runs = Run.objects.filter(brands_for(request.user).q()).for_rows().in_bulk(numbers)
    if not runs.keys() >= set(numbers):
        raise Http404
    found = compared(runs[numbers[0]], runs[numbers[1]], request.user)
    return render(request, "pipeline/manager/compare.html", {"found": found})
