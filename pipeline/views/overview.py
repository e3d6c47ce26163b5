from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from .. import queries
from ..contract.notices import notices_for
from .access import back_to, needs
from .frame import THEMES


@require_GET
@needs("pipeline.view_run")
def overview(request: HttpRequest) -> HttpResponse:
    """What is running, what needs refreshing, what failed."""
    context = {"overview": queries.overview(request.user), "notices": list(notices_for(request.user))}
    return render(request, "pipeline/overview.html", context)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Store the chosen theme in a cookie for a year."""
    response = back_to(request, "/")
    chosen = request.POST.get("theme")
    if chosen in [one["value"] for one in THEMES]:
        response.set_cookie("theme", chosen, max_age=31_536_000, samesite="Lax", httponly=True, secure=request.is_secure())
    return response
