"""Settings, read from the environment. docs/reference/settings.md explains each variable.

A wrong value causes no traceback here: it is noted in CONFIGURATION_PROBLEMS and replaced by the default. Then
`manage.py check` reports it in one line and stops. Nearly every command runs it first, and the web unit and Compose
run it before they start the site.
"""

import contextlib
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
CONFIGURATION_PROBLEMS: list[tuple[str, str]] = []  # (variable, what is wrong and what to do)


def read(name: str, kind: Any, default: Any, *, at_least: float | None = None) -> Any:
    """Read a variable by `kind`: one of Env's readers, or a type. A wrong value is noted, and the default is returned."""
    try:
        value = getattr(env, kind)(name, default=default) if isinstance(kind, str) else env(name, cast=kind, default=default)
        if at_least is not None and value < at_least:
            raise ValueError(f"must be at least {at_least:g}")
    except Exception as error:  # noqa: BLE001  readers raise many types; each becomes one line
        CONFIGURATION_PROBLEMS.append((name, f"{name} cannot be used: {error}. Correct it, or unset it for {default!r}."))
        return default
    return value


DEBUG = read("DEBUG", "bool", False)
SECRET_KEY = read("SECRET_KEY", "str", "")
if not SECRET_KEY:
    SECRET_KEY = "development-only-" + "x" * 50  # without DEBUG, the problem below stops every command
    if not DEBUG:
        CONFIGURATION_PROBLEMS.append(
            ("SECRET_KEY", "SECRET_KEY is not set. Set it to a long random string, or DEBUG=1 on your own machine.")
        )
ALLOWED_HOSTS = read("ALLOWED_HOSTS", "list", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = read("CSRF_TRUSTED_ORIGINS", "list", [])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "django_q",
    "pipeline",
    "competitors",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "controlplane.urls"
WSGI_APPLICATION = "controlplane.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pipeline.views.frame.frame",
            ],
        },
    },
]

# ---- database: SQLite file by default, PostgreSQL in production -------------------------------------------------
DEFAULT_DATABASE_URL = f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
DATABASES: dict[str, dict[str, Any]] = {"default": {}}
with warnings.catch_warnings(), contextlib.suppress(ValueError, ImproperlyConfigured):
    warnings.simplefilter("ignore")  # of an unknown engine; the check below reports it in one line
    DATABASES["default"] = dict(environ.Env.db_url_config(read("DATABASE_URL", "str", DEFAULT_DATABASE_URL)))
if not str(DATABASES["default"].get("ENGINE", "")).endswith(("sqlite3", "postgresql")):
    CONFIGURATION_PROBLEMS.append(
        ("DATABASE_URL", "DATABASE_URL cannot be used: it is neither sqlite:///path nor postgres://user:password@host:port/name.")
    )
    DATABASES["default"] = dict(environ.Env.db_url_config(DEFAULT_DATABASE_URL))
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] |= {
        "transaction_mode": "IMMEDIATE",  # otherwise a read that becomes a write fails instead of waiting
        "timeout": read("PIPELINE_SQLITE_TIMEOUT", "float", 20.0, at_least=0),  # seconds that one writer waits for another
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif read("PIPELINE_DATABASE_POOL", "bool", False):  # web process only: pool threads do not survive a worker's fork
    DATABASES["default"]["OPTIONS"] |= {"pool": {"min_size": 1, "max_size": 20, "timeout": 10}}
# Without a pool, connections stay open.
DATABASES["default"]["CONN_MAX_AGE"] = 0 if "pool" in DATABASES["default"]["OPTIONS"] else None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- the engine --------------------------------------------------------------------------------------------------
PIPELINE_WORKERS = read("PIPELINE_WORKERS", "int", 2, at_least=1)
PIPELINE_LEASE_SECONDS = read("PIPELINE_LEASE_SECONDS", "float", 30.0, at_least=1)
PIPELINE_GRACE_SECONDS = read("PIPELINE_GRACE_SECONDS", "float", 25.0, at_least=0)
PIPELINE_DAILY_SPEND_LIMIT_USD = read("PIPELINE_DAILY_SPEND_LIMIT_USD", Decimal, Decimal("50"), at_least=0)
PIPELINE_RETRY_SPEND_USD = read("PIPELINE_RETRY_SPEND_USD", Decimal, Decimal("0.50"), at_least=0)
# A paid start is sent within START_SECONDS of its committed intent, or never. "The upstream's list does not have it" means
# "it was not started" only when the intent is NONE_SECONDS old.
PIPELINE_START_SECONDS = read("PIPELINE_START_SECONDS", "float", 10.0, at_least=1)
PIPELINE_NONE_SECONDS = read("PIPELINE_NONE_SECONDS", "float", 30.0, at_least=1)
PIPELINE_POLL_SECONDS = read("PIPELINE_POLL_SECONDS", "float", 3.0, at_least=0.1)
PIPELINE_SETTLE_SECONDS = read("PIPELINE_SETTLE_SECONDS", "float", 10.0, at_least=0)  # until an upstream run's cost is final
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["OPTIONS"] |= {
        # Notice a vanished server within seconds instead of the kernel's default of two hours.
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        # A process suspended in a transaction must not keep its locks, nor make others wait, for longer than a lease.
        # PostgreSQL 14 and newer also ends the query of a client that was killed.
        "options": f"-c idle_in_transaction_session_timeout={int(PIPELINE_LEASE_SECONDS * 1000)}"
        f" -c lock_timeout={int(PIPELINE_LEASE_SECONDS * 1000)} -c client_connection_check_interval=1000",
    }
# The warning is about brokers that redeliver; none is used here.
warnings.filterwarnings("ignore", message="Retry and timeout are misconfigured")
Q_CLUSTER = {
    "name": "controlplane",
    "orm": "default",  # django-q2 needs a broker; it stays empty
    "workers": PIPELINE_WORKERS,
    "timeout": None,  # SIGALRM could interrupt the saving of items; the engine ends runs itself
    "retry": 2**31 - 1,
    "save_limit": -1,
    "scheduler": False,
    "recycle": 10_000,
    "log_level": "WARNING",
}

# ---- upstreams -----------------------------------------------------------------------------------------------------
APIFY_TOKEN = read("APIFY_TOKEN", "str", "").strip()  # a token from a file may end with a newline
APIFY_API_URL = read("APIFY_API_URL", "str", "https://api.apify.com")
META_ACCESS_TOKEN = read("META_ACCESS_TOKEN", "str", "").strip()
META_GRAPH_URL = read("META_GRAPH_URL", "str", "https://graph.facebook.com")
for name, url in {"APIFY_API_URL": APIFY_API_URL, "META_GRAPH_URL": META_GRAPH_URL}.items():
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        CONFIGURATION_PROBLEMS.append((name, f"{name} is not a web address: {url!r}. Use a form like https://api.example.com."))

# ---- people ------------------------------------------------------------------------------------------------------
PIPELINE_TIME_ZONE = read("PIPELINE_TIME_ZONE", "str", "America/Los_Angeles")
try:
    ZoneInfo(PIPELINE_TIME_ZONE)
except (KeyError, ValueError, OSError):
    CONFIGURATION_PROBLEMS.append(
        ("PIPELINE_TIME_ZONE", f"PIPELINE_TIME_ZONE is not a time zone: {PIPELINE_TIME_ZONE!r}. Use a name like Europe/Berlin.")
    )
    PIPELINE_TIME_ZONE = "America/Los_Angeles"
TIME_ZONE = PIPELINE_TIME_ZONE  # what pages show; rows are UTC
USE_TZ = True
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_THOUSAND_SEPARATOR = True
# The sections of the bar. `prefix`: paths that belong to the section, where its own URL does not say. `scrapes`: where
# pages without runs send people to start one.
NAVIGATION: list[dict[str, Any]] = [
    {"label": "Overview", "url": "overview"},
    {"label": "Competitors", "url": "competitors", "scrapes": True},
    {"label": "Pipeline", "url": "runs", "prefix": "/pipeline/", "gap": True},
    {"label": "Admin", "url": "admin:index", "staff": True},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation." + name}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# ---- files -------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = read("MEDIA_ROOT", "str", str(BASE_DIR / "media"))
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# ---- safety ------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # data: for the icons of Django's admin
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
if not DEBUG:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = read("HTTPS", "bool", True)
    SECURE_SSL_REDIRECT = read("HTTPS", "bool", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000 if read("HTTPS", "bool", True) else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s", "datefmt": "%Y-%m-%d %H:%M:%S%z"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"pipeline": {"level": "INFO"}, "competitors": {"level": "INFO"}, "django-q": {"handlers": [], "propagate": True}},
}
