"""What the domain needs in production is said before the start."""

import pytest
from django.core.checks.registry import registry

from competitors.checks import apify_has_its_token


@pytest.mark.parametrize(("token", "ids"), [("", ["competitors.W001"]), ("a-token-for-tests", [])])
def test_a_missing_token_is_warned_about(settings, token, ids):
    settings.APIFY_TOKEN = token
    assert [found.id for found in apify_has_its_token(None)] == ids


def test_the_check_is_run_with_deploy():
    assert apify_has_its_token in registry.get_checks(include_deployment_checks=True)
    assert apify_has_its_token not in registry.get_checks()
