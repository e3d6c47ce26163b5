"""Who may do what, said on the view itself."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

View = Callable[..., HttpResponse]


def needs(permission: str) -> Callable[[View], View]:
    """403, in words, for who lacks the permission."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied(permission)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def back_to(request: HttpRequest, default: str) -> HttpResponseRedirect:
    """303 to the form's `next` where that is on this host, else to the default."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(wanted if safe else default)
    response.status_code = 303
    return response
