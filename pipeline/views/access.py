"""Permissions declared on the view itself, and redirects after a POST."""

from collections.abc import Callable

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

View = Callable[..., HttpResponseBase]


def needs(*permissions: str) -> Callable[[View], View]:
    """The signed-in user needs all of these, else gets a 403 instead of another sign-in."""
    return permission_required(permissions, raise_exception=True)


def see_other(url: str) -> HttpResponseRedirect:
    """Redirect after a POST, so that a reload repeats nothing."""
    return HttpResponseRedirect(url, status=303)


def back_to(request: HttpRequest, default: str) -> HttpResponseRedirect:
    """Redirect to the form's `next` if that is on this host, else to the default."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return see_other(wanted if safe else default)
