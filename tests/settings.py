"""The product's settings with the test job types, and with waits that a test can afford.

Programs that a test starts get the same, by their environment. A developer's own variables must neither change a result nor
let a test reach a paid account: they are dropped, once, in the first process. Its children keep what the test gave them.
"""

import os

if "TESTS_OWN_ENVIRONMENT" not in os.environ:
    ours = (
        "PIPELINE_",
        "APIFY_",
        "META_",
        "SLACK_",
        "MEDIA_ROOT",
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
    "APIFY_API_URL": "http://127.0.0.1:9",  # nobody answers there: a test that forgot its sandbox fails, and pays nothing
    "META_GRAPH_URL": "http://127.0.0.1:9",
    "PIPELINE_POLL_SECONDS": "0.2",
    "PIPELINE_SETTLE_SECONDS": "0.1",
    "PIPELINE_START_SECONDS": "5",
    "PIPELINE_NONE_SECONDS": "6",
}.items():
    os.environ.setdefault(name, value)

from controlplane.settings import *  # noqa: E402, F403  the environment had to be ready first
from controlplane.settings import INSTALLED_APPS  # noqa: E402

INSTALLED_APPS = [*INSTALLED_APPS, "tests.toy"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # logins by the hundred
