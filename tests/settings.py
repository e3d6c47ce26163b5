"""The product's settings, with the test job types and short waits.

A developer's own variables must not change a result or let a test reach a paid account, so the first process removes
them. Child processes inherit the test's environment and keep what the test set.
"""

import os
import tempfile

if "TESTS_OWN_ENVIRONMENT" not in os.environ:
    ours = (
        "PIPELINE_",
        "APIFY_",
        "META_",
        "SLACK_",
        "METRICS_",
        "LOG_",
        "NOTIFY_",
        "EMAIL_",
        "SITE_",
        "MEDIA_",
        "SECRET_KEY",
        "DEBUG",
        "HTTPS",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED",
    )
    for name in [name for name in os.environ if name.startswith(ours) and name != "APIFY_OPENAPI"]:
        del os.environ[name]
    os.environ["TESTS_OWN_ENVIRONMENT"] = "1"
for name, value in {
    "DEBUG": "1",
    "APIFY_TOKEN": "a-token-for-tests",
    "APIFY_API_URL": "http://127.0.0.1:9",  # nothing listens there: a test without a sandbox fails and pays nothing
    "META_GRAPH_URL": "http://127.0.0.1:9",
    "MEDIA_ROOT": os.path.join(tempfile.gettempdir(), "control-plane-tests-media"),
    "METRICS_TOKEN": "a-token-of-tests",
    "PIPELINE_POLL_SECONDS": "0.2",
    "PIPELINE_SETTLE_SECONDS": "0.1",
    "PIPELINE_START_SECONDS": "5",
    "PIPELINE_NONE_SECONDS": "6",
}.items():
    os.environ.setdefault(name, value)

from controlplane.settings import *  # noqa: E402, F403  they read the environment above
from controlplane.settings import INSTALLED_APPS, MIDDLEWARE  # noqa: E402

# django-zeal: see tests/one_query_for_all.py.
INSTALLED_APPS = ["zeal", *INSTALLED_APPS, "tests.toy"]
MIDDLEWARE = ["tests.one_query_for_all.middleware", *MIDDLEWARE]
ZEAL_ALLOWLIST = [{"model": "auth.User", "field": "get()"}]  # who asks, and whom the page is about
if os.environ.get("TESTS_TABLES") == "models":  # as pytest's --nomigrations does, for a database that a test makes itself
    MIGRATION_MODULES = dict.fromkeys(app.rpartition(".")[2] for app in INSTALLED_APPS)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast: tests sign in often
