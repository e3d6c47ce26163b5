"""A person's sessions: in how many browsers they are signed in."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

_store = import_module(settings.SESSION_ENGINE).SessionStore


def sign_out_everywhere(*users: Any) -> int:
    """End every session of these people; how many there were. Each session is read, as its row does not say whose it is."""
    theirs = {str(user.pk) for user in users}
    ended = [
        session.pk
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator()
        if _store().decode(session.session_data).get(SESSION_KEY) in theirs
    ]
    Session.objects.filter(pk__in=ended).delete()
    return len(ended)


def end_every_session() -> None:
    """After a restore: sessions that were ended since the backup would live again."""
    Session.objects.all().delete()
