"""Settings, read from the environment. docs/reference/settings.md explains each variable.

`manage.py check` reports in one line what is wrong with one. Nearly every command runs it first, and web and workers refuse to
start with what would let others in.
"""

import tomllib
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from controlplane import database, environment

BASE_DIR = Path(__file__).resolve().parent.parent
CONFIGURATION_PROBLEMS = environment.PROBLEMS

DEBUG = environment.flag("DEBUG")
RELEASE = environment.text("RELEASE") or tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
SECRET_KEY = environment.text("SECRET_KEY")
if not SECRET_KEY:
    SECRET_KEY = "development-only-" + "x" * 50  # without DEBUG, the problem below stops every command
    if not DEBUG:
        CONFIGURATION_PROBLEMS.append(
            ("SECRET_KEY", "SECRET_KEY is not set. Set it to a long random string, or DEBUG=1 on your own machine.")
        )
SECRET_KEY_FALLBACKS = environment.names("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = environment.names("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
TRUSTED_PROXY = environment.text("TRUSTED_PROXY")  # the address that it connects from
CSRF_TRUSTED_ORIGINS = environment.names("CSRF_TRUSTED_ORIGINS", [])

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
    "axes",
    "auditlog",
    "django_q",
    "pipeline",
    "competitors",
]
MIDDLEWARE = [
    "pipeline.views.watch.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "pipeline.views.person.session.private_pages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pipeline.views.person.audit.audit",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "controlplane.time_limit.TimeLimitMiddleware",
    "pipeline.views.person.session.end_of_idle_sessions",
    "pipeline.views.person.sign_in.few_at_once",
    "pipeline.views.person.searches.few_at_once",
    "axes.middleware.AxesMiddleware",
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

FORM_RENDERER = "pipeline.templatetags.form_widgets.QuickRenderer"

# ---- database: SQLite file by default, PostgreSQL in production -------------------------------------------------
PIPELINE_LEASE_SECONDS = environment.number("PIPELINE_LEASE_SECONDS", 30.0, at_least=1)
PIPELINE_STATEMENT_SECONDS = environment.number("PIPELINE_STATEMENT_SECONDS", 15.0, at_least=0)  # of a page's query; 0: no limit
DEFAULT_DATABASE_URL = f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
DATABASES = {"default": database.configured(DEFAULT_DATABASE_URL, PIPELINE_LEASE_SECONDS, PIPELINE_STATEMENT_SECONDS)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- the engine --------------------------------------------------------------------------------------------------
PIPELINE_WORKERS = environment.integer("PIPELINE_WORKERS", 2, at_least=1)
PIPELINE_GRACE_SECONDS = environment.number("PIPELINE_GRACE_SECONDS", 25.0, at_least=0)
PIPELINE_DAILY_SPEND_LIMIT_USD = environment.usd("PIPELINE_DAILY_SPEND_LIMIT_USD", "50")
AMAZON_REVIEWS_PRICE_USD = environment.usd("AMAZON_REVIEWS_PRICE_USD", "0.75")  # of 1,000 items, until Apify tells its price
AD_LIBRARY_PRICE_USD = environment.usd("AD_LIBRARY_PRICE_USD", "0.75")  # of 1,000 ads, likewise
REDDIT_PRICE_USD = environment.usd("REDDIT_PRICE_USD", "1.49")  # of 1,000 posts and comments, likewise
# An ad is inactive when two complete readings so far apart lack it: the library drops thousands of ads and brings them back.
ADS_INACTIVE_AFTER_HOURS = environment.number("ADS_INACTIVE_AFTER_HOURS", 6.0, at_least=0)
PIPELINE_RETRY_SPEND_USD = environment.usd("PIPELINE_RETRY_SPEND_USD", "0.50")
PIPELINE_SCHEDULE_ASK_USD = environment.usd("PIPELINE_SCHEDULE_ASK_USD", "100")
# A paid start is sent within START_SECONDS of its committed intent, or never. "The upstream's list does not have it" means
# "it was not started" only when the intent is NONE_SECONDS old.
PIPELINE_START_SECONDS = environment.number("PIPELINE_START_SECONDS", 10.0, at_least=1)
PIPELINE_NONE_SECONDS = environment.number("PIPELINE_NONE_SECONDS", 30.0, at_least=1)
PIPELINE_POLL_SECONDS = environment.number("PIPELINE_POLL_SECONDS", 3.0, at_least=0.1)
PIPELINE_SETTLE_SECONDS = environment.number("PIPELINE_SETTLE_SECONDS", 10.0, at_least=0)  # until an upstream run's cost is final
# What is read of an answer: bytes, decoded; and items per page. 16 MiB hold the largest item that Apify stores.
PIPELINE_ANSWER_BYTES = environment.integer("PIPELINE_ANSWER_BYTES", 2**24, at_least=10_000)
PIPELINE_PAGE_ITEMS = environment.integer("PIPELINE_PAGE_ITEMS", 1000, at_least=1)
# What is stored of foreign data: see pipeline/models/fields.py.
PIPELINE_TEXT_CHARACTERS = environment.integer("PIPELINE_TEXT_CHARACTERS", 100_000, at_least=1000)
PIPELINE_MESSAGE_CHARACTERS = environment.integer("PIPELINE_MESSAGE_CHARACTERS", 2000, at_least=200)
PIPELINE_LOG_LINES = environment.integer("PIPELINE_LOG_LINES", 10_000, at_least=100)  # of one run
# After how many days details go; 0: never. pipeline/engine/workers/housekeeping/retention.py
PIPELINE_KEEP_PAGES_DAYS = environment.integer("PIPELINE_KEEP_PAGES_DAYS", 90, at_least=0)
PIPELINE_KEEP_LOGS_DAYS = environment.integer("PIPELINE_KEEP_LOGS_DAYS", 180, at_least=0)
PIPELINE_KEEP_EVENTS_DAYS = environment.integer("PIPELINE_KEEP_EVENTS_DAYS", 730, at_least=0)
# The warning is about brokers that redeliver; none is used here.
warnings.filterwarnings("ignore", message="Retry and timeout are misconfigured")
Q_CLUSTER: dict[str, Any] = {
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
APIFY_TOKEN = environment.text("APIFY_TOKEN")
APIFY_API_URL = environment.web_address("APIFY_API_URL", "https://api.apify.com")
META_ACCESS_TOKEN = environment.text("META_ACCESS_TOKEN")
META_ACCESS_TOKENS = environment.secrets("META_ACCESS_TOKENS", r"act_\d{1,20}")  # of ad accounts that have one of their own
META_GRAPH_URL = environment.web_address("META_GRAPH_URL", "https://graph.facebook.com")
META_GRAPH_VERSION = environment.matching("META_GRAPH_VERSION", "v26.0", r"v\d{1,3}\.\d")
META_GRAPH_VERSION_ENDS = environment.day("META_GRAPH_VERSION_ENDS")  # Meta's answers do not say it
SECRET_SETTINGS = [
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "APIFY_TOKEN",
    "META_ACCESS_TOKEN",
    "META_ACCESS_TOKENS",
    "METRICS_TOKEN",
    "EMAIL_URL",
    "EMAIL_HOST_PASSWORD",
]  # their values are kept out of messages and logs
UPSTREAM_ADDRESSES = ["APIFY_API_URL", "META_GRAPH_URL", "MEDIA_S3_URL"]  # what is sent there holds secrets

# ---- people ------------------------------------------------------------------------------------------------------
PIPELINE_TIME_ZONE = environment.time_zone("PIPELINE_TIME_ZONE", "America/Los_Angeles")
TIME_ZONE = PIPELINE_TIME_ZONE  # what pages show; rows are UTC
USE_TZ = True
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_THOUSAND_SEPARATOR = True
# The sections of the bar. `prefix`: paths that belong to the section, where its own URL does not say. `scrapes`: where
# pages without runs send people to start one.
NAVIGATION: list[dict[str, Any]] = [
    {"label": "Overview", "url": "overview"},
    {"label": "Brands", "url": "research_brands"},
    {"label": "Competitors", "url": "competitors", "scrapes": True},
    {"label": "Reddit", "url": "reddit_brands"},
    {"label": "Templates", "url": "templates"},
    {"label": "Ads", "url": "performance_brands"},
    {"label": "Pipeline", "url": "health", "prefix": "/pipeline/", "gap": True},
    {"label": "Admin", "url": "admin:index", "staff": True},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
# Failed sign-ins, counted by django-axes: pipeline/people/sign_in.py. Its own log and admin are off, as we write both.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_USERNAME_CALLABLE = "pipeline.people.sign_in.name_of"
AXES_HANDLER = "pipeline.people.sign_in.Failures"
AXES_FAILURE_LIMIT = 1  # the handler counts limits
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the page tells when to try again
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "pipeline.people.sign_in.address_of"
AXES_LOCKOUT_CALLABLE = "pipeline.views.person.sign_in.refused"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
SESSION_IDLE_MINUTES = environment.integer("SESSION_IDLE_MINUTES", 0, at_least=0)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation." + name}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# ---- files -------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = environment.text("MEDIA_ROOT", str(BASE_DIR / "media"))
MEDIA_S3_BUCKET = environment.text("MEDIA_S3_BUCKET")
MEDIA_S3_URL = environment.text("MEDIA_S3_URL")
# What is downloaded, and from where: competitors/upstream/media/.
MEDIA_EXTRA_HOSTS = environment.names("MEDIA_EXTRA_HOSTS", [])
MEDIA_MAX_IMAGE_BYTES = environment.integer("MEDIA_MAX_IMAGE_BYTES", 30_000_000, at_least=1)
MEDIA_MAX_VIDEO_BYTES = environment.integer("MEDIA_MAX_VIDEO_BYTES", 500_000_000, at_least=1)
MEDIA_MAX_ZIP_BYTES = environment.integer("MEDIA_MAX_ZIP_BYTES", 2_000_000_000, at_least=1)
MEDIA_KEEP_ARCHIVED_DAYS = environment.integer("MEDIA_KEEP_ARCHIVED_DAYS", 180, at_least=0)  # 0: forever
MEDIA_MAX_SECONDS = environment.number("MEDIA_MAX_SECONDS", 900.0, at_least=1)
MEDIA_LEAST_SPEED = environment.integer("MEDIA_LEAST_SPEED", 10_000, at_least=0)  # bytes per second, over the time below
MEDIA_LEAST_SPEED_SECONDS = environment.number("MEDIA_LEAST_SPEED_SECONDS", 30.0, at_least=0.1)
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
# Files are named by their content, so one that is there already may be overwritten.
MEDIA_S3_OPTIONS: dict[str, Any] = {
    "bucket_name": MEDIA_S3_BUCKET,
    "endpoint_url": MEDIA_S3_URL or None,
    "default_acl": None,
    "max_memory_size": 1_000_000,  # of a file that is sent; the rest of it lies in the folder for temporary files
}
STORAGES = {
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": MEDIA_S3_OPTIONS}
    if MEDIA_S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
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
        "media-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # monitors ask the web server itself, behind the proxy
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
if not DEBUG:
    HTTPS = environment.flag("HTTPS", True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

# ---- for those who watch it --------------------------------------------------------------------------------------
METRICS_TOKEN = environment.text("METRICS_TOKEN")
_here = "http://127.0.0.1:8000" if DEBUG or not ALLOWED_HOSTS else f"https://{ALLOWED_HOSTS[0].lstrip('.')}"
SITE_URL = environment.web_address("SITE_URL", _here)  # what messages link to
NOTIFY_HOSTS = environment.names("NOTIFY_HOSTS", [])
NOTIFY_PRIVATE_HOSTS = environment.names("NOTIFY_PRIVATE_HOSTS", [])
# Of apprise: those whose messages go to a fixed host. Others could be made to ask any address.
NOTIFY_APPRISE_SCHEMES = environment.names(
    "NOTIFY_APPRISE_SCHEMES", "discord gchat opsgenie pagerduty pover tgram wxteams".split()
)
EMAIL_URL = environment.text("EMAIL_URL")
EMAIL_FROM = environment.text("EMAIL_FROM") or "controlplane@localhost"
EMAIL_TIMEOUT = 20
mail_server = environment.mail_server("EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = mail_server.get("EMAIL_HOST", ""), mail_server.get("EMAIL_PORT") or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail_server.get("EMAIL_HOST_USER") or "", mail_server.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = mail_server.get("EMAIL_USE_TLS", False), mail_server.get("EMAIL_USE_SSL", False)
LOG_FORMAT = environment.matching("LOG_FORMAT", "line", "line|json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "controlplane.logs.LineFormatter",
            "fmt": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
            "datefmt": "%Y-%m-%d %H:%M:%S%z",
        },
        "json": {"()": "controlplane.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "apprise": {"level": "CRITICAL"},  # it logs addresses, which are secrets; the run's error says what failed
        "pipeline": {"level": "INFO"},
        "competitors": {"level": "INFO"},
        # These come with handlers of their own, which would write foreign text as it is.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django-q": {"handlers": [], "propagate": True},
        "axes": {"level": "ERROR"},
    },
}
