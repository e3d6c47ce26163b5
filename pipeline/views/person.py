"""What people set for themselves: theme and password."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST

from .access import back_to
from .frame import THEMES


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Store the chosen theme in a cookie for a year."""
    response = back_to(request, "/")
    chosen = request.POST.get("theme")
    if chosen in [one["value"] for one in THEMES]:
        response.set_cookie("theme", chosen, max_age=31_536_000, samesite="Lax", httponly=True, secure=request.is_secure())
    return response


class ChangePassword(PasswordChangeView):
    """Everybody's own password. This session stays, all others of this person end."""

    template_name = "registration/password.html"
    success_url = reverse_lazy("password")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)
