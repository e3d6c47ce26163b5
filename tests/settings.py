"""The product's settings with the test job types, and with waits that a test can afford."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("APIFY_TOKEN", "a-token-for-tests")
for name, value in {
    "PIPELINE_POLL_SECONDS": "0.2", "PIPELINE_SETTLE_SECONDS": "0.1", "PIPELINE_START_SECONDS": "5", "PIPELINE_NONE_SECONDS": "6",
}.items():
    os.environ.setdefault(name, value)

from controlplane.settings import *  # noqa: E402, F403
from controlplane.settings import DATABASES, INSTALLED_APPS  # noqa: E402

INSTALLED_APPS = [*INSTALLED_APPS, "tests.toy"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # logins by the hundred
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: several connections and processes must see the same rows.
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(os.environ.get("TEST_DATABASE_DIR", "/tmp"), f"controlplane-test-{os.getpid()}.sqlite3")}  # noqa: S108
