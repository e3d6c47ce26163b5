"""Permissions declared on the view itself, and redirects after a POST."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from ..people import check_page

View = Callable[..., HttpResponseBase]


def needs(*permissions: str, platform: bool = False) -> Callable[[View], View]:
    """The signed-in user needs all of these, else gets a 403 that says who can. A `brand` in the address must be open to them.

    `platform`: the view is about rows of no single brand. The view keeps both as `needs` and `platform`, from which the bar and
    the tests know whom it lets in.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **address: Any) -> HttpResponseBase:
            check_page(request.user, permissions, platform=platform, address=address)
            return view(request, *args, **address)

        guarded.needs, guarded.platform = permissions, platform  # type: ignore[attr-defined]
        return guarded

    return guard


def see_other(url: str) -> HttpResponseRedirect:
    """Redirect after a POST, so that a reload repeats nothing."""
    return HttpResponseRedirect(url, status=303)


def back_to(request: HttpRequest, default: str) -> HttpResponseRedirect:
    """Redirect to the form's `next` if that is on this host, else to the default."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return see_other(wanted if safe else default)
