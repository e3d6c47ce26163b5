"""Imports go one way: controlplane → competitors → pipeline → Django."""

import ast

import pytest

from tests.architecture.tree import imports, source_files, strings, tree, within

PRODUCT = source_files("controlplane", "competitors", "pipeline")
FORBIDDEN = {  # package -> what nothing in it may import
    "pipeline": ("competitors", "controlplane", "tests", "benchmarks"),
    "competitors": ("controlplane", "tests", "benchmarks"),
    "controlplane": ("tests", "benchmarks"),
}
HTTP = (
    "apprise",
    "smtplib",
    "requests",
    "apify_client",
    "urllib.request",
    "urllib.error",
    "urllib3",
    "http.client",
    "httpx",
    "aiohttp",
    "impit",
)
# What fetches data, and what sends messages: both check each address that somebody else has given.
HTTP_HOMES = ("competitors/upstream/", "pipeline/jobs/deliver/")
SANDBOX_HOMES = ("competitors/sandbox/", "competitors/management/commands/sandbox.py")


def wrong_direction(module: ast.Module, path: str) -> list[str]:
    """Imports of upper packages, and their names in strings (lazy relations, import_module, dotted settings)."""
    upper = FORBIDDEN[path.split("/")[0]]
    return [
        name for name in [*imports(module, path), *strings(module)] if within(name, *upper) and (name not in upper or "." in name)
    ]


def outbound_http(module: ast.Module, path: str) -> list[str]:
    return [] if path.startswith(HTTP_HOMES) else [name for name in imports(module, path) if within(name, *HTTP)]


def sandbox_in_production(module: ast.Module, path: str) -> list[str]:
    if path.startswith(SANDBOX_HOMES):
        return []
    return [name for name in [*imports(module, path), *strings(module)] if within(name, "competitors.sandbox")]


@pytest.mark.parametrize("rule", [wrong_direction, outbound_http, sandbox_in_production])
def test_no_module_breaks_the_rule(rule):
    broken = [f"{path}: {found}" for path in PRODUCT for found in rule(tree(path), path)]
    assert not broken, "\n".join([f"{rule.__name__}:", *broken])


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (wrong_direction, "pipeline/api.py", "from competitors.models import Competitor"),
        (wrong_direction, "pipeline/api.py", "import competitors.models"),
        (wrong_direction, "pipeline/models/jobs.py", "def late():\n    from ...competitors import models"),
        (wrong_direction, "pipeline/models/jobs.py", "models.ForeignKey('competitors.Competitor')"),
        (wrong_direction, "competitors/views/forms.py", "from controlplane import settings"),
        (wrong_direction, "controlplane/urls.py", "from tests import toy"),
        (outbound_http, "competitors/jobs/amazon_review_scrape/service.py", "import requests"),
        (outbound_http, "competitors/jobs/amazon_review_scrape/service.py", "from urllib import request"),
        (outbound_http, "pipeline/jobs/export/job.py", "import urllib3"),
        (outbound_http, "pipeline/views/watch/notifications.py", "import apprise"),
        (outbound_http, "pipeline/sources.py", "from apify_client.errors import ApifyApiError"),
        (sandbox_in_production, "competitors/views/panels.py", "from ..sandbox import server"),
        (sandbox_in_production, "controlplane/urls.py", "include('competitors.sandbox.urls')"),
    ],
)
def test_each_rule_can_fail(rule, path, code):
    assert rule(ast.parse(code), path)


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (wrong_direction, "competitors/views/forms.py", "from pipeline import api"),
        (wrong_direction, "pipeline/api.py", "from .models import Run\nfrom . import runs"),
        (outbound_http, "competitors/jobs/amazon_review_scrape/address.py", "from urllib.parse import urlsplit"),
        (outbound_http, "competitors/upstream/apify.py", "import apify_client"),
        (sandbox_in_production, "competitors/management/commands/sandbox.py", "from competitors.sandbox import server"),
    ],
)
def test_no_rule_refuses_what_is_right(rule, path, code):
    assert not rule(ast.parse(code), path)
