"""Who may do what, said on the view itself, and where a POST leads."""

from collections.abc import Callable

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

View = Callable[..., HttpResponseBase]


def needs(*permissions: str) -> Callable[[View], View]:
    """The signed-in user must hold all of these; 403 otherwise, never a second sign-in."""
    return permission_required(permissions, raise_exception=True)


def see_other(url: str) -> HttpResponseRedirect:
    """After a POST: go and GET that, so that a reload repeats nothing."""
    return HttpResponseRedirect(url, status=303)


def back_to(request: HttpRequest, default: str) -> HttpResponseRedirect:
    """To the form's `next` where that is on this host, else to the default."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return see_other(wanted if safe else default)
