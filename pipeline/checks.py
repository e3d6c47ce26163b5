"""System checks: what must be right before anything starts."""

import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SENSIBLE_GRACE = 300
SAFETY = "safety"  # the tag of what web and workers refuse to start with
SHORTEST_KEY, FEWEST_CHARACTERS = 32, 10
KNOWN_KEYS = ("development-only-", "django-insecure-", "only-for-this-step")


@register(SAFETY)
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


@register(SAFETY, deploy=True)
def starts_safely(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What would let others in. With --deploy, and before web and worker start."""
    if settings.DEBUG and all(is_loopback(host) for host in settings.ALLOWED_HOSTS):
        return [Warning(words, id=f"pipeline.W{number:03}") for number, words in _dangers()]
    return [Error(words, id=f"pipeline.E{number:03}") for number, words in _dangers()]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    host = host.strip("[]").lower().rstrip(".")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _dangers() -> Iterator[tuple[int, str]]:
    """The number of the check, and one sentence of what is wrong and what to do."""
    keys = {"SECRET_KEY": [settings.SECRET_KEY], "SECRET_KEY_FALLBACKS": settings.SECRET_KEY_FALLBACKS}
    for name in (name for name, used in keys.items() if any(map(_can_be_guessed, used))):
        yield (
            10,
            f"{name} is short or known, so anybody could sign in as anybody: set it to {SHORTEST_KEY} or more random"
            " characters, such as those of `openssl rand -base64 48`.",
        )
    public = [host for host in settings.ALLOWED_HOSTS if not is_loopback(host)]
    if settings.DEBUG and public:
        yield (
            11,
            f"DEBUG shows code and settings to whoever causes an error, and ALLOWED_HOSTS has {public[0]}, which others"
            " reach: unset DEBUG.",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield 12, "ALLOWED_HOSTS has *, so links can be made to lead anywhere: name the hosts of the site."
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if "*" in origin:
            yield (
                13,
                f"CSRF_TRUSTED_ORIGINS has {origin}, so forms of sites that nobody has named are accepted: name each origin.",
            )
    for name in settings.UPSTREAM_ADDRESSES:
        address = urlsplit(getattr(settings, name))
        if address.scheme == "http" and not is_loopback(address.hostname or ""):
            yield 15, f"{name} is plain http, so whoever is in between reads the token: write https://."
    for path in _readable_by_others():
        yield 14, f"Every user of this machine can read the database: run `chmod o-rwx {path}`."


def _can_be_guessed(key: str) -> bool:
    return len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS or key.startswith(KNOWN_KEYS)


def _readable_by_others() -> Iterator[Path]:
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return
    for ending in ("", "-wal", "-shm"):
        path = Path(f"{database['NAME']}{ending}")
        if path.is_file() and path.stat().st_mode & stat.S_IRWXO:
            yield path
