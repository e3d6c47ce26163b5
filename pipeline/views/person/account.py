"""What people do for themselves: theme, live updates, password, signing out everywhere."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_POST

from ...people import sign_out_everywhere
from ..access import back_to, see_other
from ..frame import PAUSED, THEMES


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Store the chosen theme in a cookie for a year."""
    response = back_to(request, "/")
    chosen = request.POST.get("theme")
    if chosen in [one["value"] for one in THEMES]:
        response.set_cookie("theme", chosen, max_age=31_536_000, samesite="Lax", httponly=True, secure=request.is_secure())
    return response


@require_POST
def updates(request: HttpRequest) -> HttpResponse:
    """Pause or resume the updates of live pages for this session."""
    request.session[PAUSED] = request.POST.get("updates") == "pause"
    return back_to(request, "/")


@require_POST
def sign_out_of_all(request: HttpRequest) -> HttpResponse:
    """End every session of the person, this one too."""
    sign_out_everywhere(request.user)
    logout(request)
    messages.success(request, "You are signed out everywhere.")
    return see_other(reverse("login"))


class ChangePassword(PasswordChangeView):
    """Everybody's own password. This session stays, all others of this person end."""

    template_name = "registration/password.html"
    success_url = reverse_lazy("password")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)
