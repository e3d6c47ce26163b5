"""Failed sign-ins: after 10 of a name, or 30 from an address, each further one is refused before the password is looked at.

django-axes keeps the failures and asks here, at every way to sign in. A row of its table counts what one browser did with one
name. It ends when the browser has not failed for as long as REMEMBERED.
"""

import logging
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ..words import to_the_second

logger = logging.getLogger("pipeline.sign_in")
REMEMBERED: timedelta = settings.AXES_COOLOFF_TIME
OF_NAME, OF_ADDRESS = 10, 30
LONGEST_NAME = 255


class Failures(AxesDatabaseHandler):
    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """How many limits are reached. AXES_FAILURE_LIMIT is one."""
        return int(refused_until(request, credentials) is not None)

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is not None:
            until = refused_until(request, credentials)
            refused = f"; refused until {to_the_second(until)}" if until else ""
            logger.warning("Sign-in failed: %s from %s%s.", known_name(credentials.get("username")), address_of(request), refused)

    def reset_user_attempts(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """Who signs in starts anew. Failures with other names, or with theirs from elsewhere, may be somebody else's guesses."""
        name = (credentials or {}).get("username")
        deleted, _ = AccessAttempt.objects.filter(username=name, ip_address=address_of(request)).delete()
        return deleted


def name_of(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """What is kept of a typed name. Its column is no longer, and no person's name is."""
    name = (credentials or {}).get("username") or request.POST.get("username")
    return name[:LONGEST_NAME] if name else None


def refused_until(request: HttpRequest, credentials: dict[str, Any] | None) -> datetime | None:
    """When the next try is possible; None if now."""
    name, address = (credentials or {}).get("username"), address_of(request)
    ends = [
        _reached(AccessAttempt.objects.filter(username=name), OF_NAME) if name else None,
        _reached(AccessAttempt.objects.filter(ip_address=address), OF_ADDRESS) if address else None,
    ]
    return max((end for end in ends if end), default=None)


def _reached(attempts: QuerySet[AccessAttempt], limit: int) -> datetime | None:
    """Until when they reach the limit: then the oldest ones that it takes are forgotten."""
    recent = attempts.filter(attempt_time__gt=timezone.now() - REMEMBERED).order_by("-attempt_time")
    count = 0
    for failures, at in recent.values_list("failures_since_start", "attempt_time")[:limit]:
        count += failures
        if count >= limit:
            return at + REMEMBERED
    return None


def address_of(request: HttpRequest) -> str | None:
    """The address that failures count for. Of IPv6 its network of 64 bits: one customer has all of it. None for a Unix socket."""
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False).network_address)
    return str(address)


def let_try_again(names: list[str]) -> None:
    """Forget the failures of these names."""
    AccessAttempt.objects.filter(username__in=names).delete()


def known_name(name: Any) -> str:
    """What somebody typed as a name may be a password, so only a name that exists is repeated."""
    return str(name) if get_user_model().objects.filter(username=name or "").exists() else "an unknown name"
