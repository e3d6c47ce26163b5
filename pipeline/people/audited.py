"""Which rows have their changes recorded by django-auditlog, with who made them. Acts upon runs, schedules and limits are events.

Only rows that people set, and that no event tells of: nothing that workers or a click write, since each save of a registered row
reads it once more.
"""

from contextvars import ContextVar
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import pre_save

from ..models import Brand, BrandLimit, Event
from .sign_in import address_of, known_name

SIGN_IN, SIGN_OUT, FAILED = "sign_in", "sign_out", "sign_in_failed"
request_here: ContextVar[Any] = ContextVar("request_here", default=None)  # the request that this thread answers


def hidden(value: str) -> str:
    """That a password changed is recorded, and nothing of it."""
    return "(hidden)"


def add_actor(sender: Any, instance: LogEntry, **_: Any) -> None:
    """Who makes the change: read only when there is one, so that other requests pay nothing for it."""
    if (request := request_here.get()) is not None and instance.actor_id is None:
        instance.remote_addr = address_of(request)
        if request.user.is_authenticated:
            instance.actor = request.user


def note_sign_in(sender: Any, request: Any, user: Any, **_: Any) -> None:
    Event.objects.create(kind=SIGN_IN, message=f"{user} signed in{_from(request)}.", by=user)


def note_sign_out(sender: Any, request: Any, user: Any, **_: Any) -> None:
    if user is not None:
        Event.objects.create(kind=SIGN_OUT, message=f"{user} signed out{_from(request)}.", by=user)


def note_failure(sender: Any, credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    """Those that are refused unread are in the log only: an attack must not fill the list."""
    if request is not None and not getattr(request, "axes_locked_out", False):
        Event.objects.create(kind=FAILED, message=f"Sign-in failed: {known_name(credentials.get('username'))}{_from(request)}.")


def _from(request: Any) -> str:
    address = address_of(request) if request is not None else None
    return f" from {address}" if address else ""


# Fields by name: without that, it compares what points to the row too.
auditlog.register(
    get_user_model(),
    include_fields=["username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser", "password"],
    mask_fields=["password"],
    mask_callable="pipeline.people.audited.hidden",
    m2m_fields={"groups", "user_permissions"},
)
auditlog.register(Group, include_fields=["name"])  # not its permissions: `migrate` sets those of the roles
auditlog.register(BrandLimit, include_fields=["user"], m2m_fields={"brands"})
auditlog.register(Brand, include_fields=["name", "slug", "time_zone"])  # of its archiving an event tells
pre_save.connect(add_actor, sender=LogEntry, dispatch_uid="audit_actor")
user_logged_in.connect(note_sign_in, dispatch_uid="audit_sign_in")
user_logged_out.connect(note_sign_out, dispatch_uid="audit_sign_out")
user_login_failed.connect(note_failure, dispatch_uid="audit_failure")
