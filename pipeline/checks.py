"""System checks: what must be right before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SENSIBLE_GRACE = 300


@register
def settings_are_usable(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each environment variable that controlplane/settings.py could not read."""
    return [Error(message, id="pipeline.E001", obj=name) for name, message in getattr(settings, "CONFIGURATION_PROBLEMS", [])]


@register
def cluster_agrees_with_leases(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Reports django-q2 settings that would make it end or repeat runs itself."""
    q = settings.Q_CLUSTER
    found: list[CheckMessage] = []
    if q.get("timeout") is not None:
        found.append(
            Error(
                "Q_CLUSTER['timeout'] must be None: django-q2 would kill runs that are alive.",
                hint="A job type's max_runtime ends a run that hangs.",
                id="pipeline.E002",
            )
        )
    if q.get("scheduler", True):
        found.append(Error("Q_CLUSTER['scheduler'] must be False: schedules are rows of the Run table.", id="pipeline.E003"))
    if q.get("retry", 60) < settings.PIPELINE_LEASE_SECONDS:
        found.append(Error("Q_CLUSTER['retry'] must not be shorter than PIPELINE_LEASE_SECONDS.", id="pipeline.E004"))
    if q.get("sync"):
        found.append(Error("Q_CLUSTER['sync'] must be off: each click would block its page.", id="pipeline.E005"))
    if settings.PIPELINE_NONE_SECONDS <= settings.PIPELINE_START_SECONDS:
        found.append(
            Error(
                "PIPELINE_NONE_SECONDS must be longer than PIPELINE_START_SECONDS, or a start that is still being sent"
                " could be paid for twice.",
                id="pipeline.E006",
            )
        )
    if settings.PIPELINE_GRACE_SECONDS > SENSIBLE_GRACE:
        found.append(
            Warning(f"PIPELINE_GRACE_SECONDS is over {SENSIBLE_GRACE}: each deploy waits that long.", id="pipeline.W001")
        )
    return found


@register(Tags.security, deploy=True)
def production_has_what_it_needs(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With --deploy: what production lacks."""
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            Warning(
                "The database is SQLite, which serves one machine. For several, set DATABASE_URL to PostgreSQL.",
                id="pipeline.W003",
            )
        )
    return found
