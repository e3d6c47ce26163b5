"""What the domain needs in production is said before the start."""

import pytest
from django.core.checks.registry import registry

from competitors.checks import apify_has_its_token, media_hosts_are_hosts


@pytest.mark.parametrize(("token", "ids"), [("", ["competitors.W001"]), ("a-token-for-tests", [])])
def test_a_missing_token_is_warned_about(settings, token, ids):
    settings.APIFY_TOKEN = token
    assert [found.id for found in apify_has_its_token(None)] == ids


def test_the_check_is_run_with_deploy():
    assert apify_has_its_token in registry.get_checks(include_deployment_checks=True)
    assert apify_has_its_token not in registry.get_checks()


@pytest.mark.parametrize("entry", ["media.example.com", "media.example.com:8443", "127.0.0.1:9000", "[::1]:9000", "cdn"])
def test_a_host_with_or_without_a_port_may_be_named(settings, entry):
    settings.MEDIA_EXTRA_HOSTS = [entry]
    assert media_hosts_are_hosts(None) == []


@pytest.mark.parametrize(
    "entry", ["https://a.example.com", "a.example.com/x", "*.example.com", "a b", "a:b", "::1", "u@a.example.com"]
)
def test_what_is_no_host_is_named_with_what_to_write_instead(settings, entry):
    settings.MEDIA_EXTRA_HOSTS = ["good.example.com", entry]
    (found,) = media_hosts_are_hosts(None)
    assert found.is_serious()
    assert repr(entry) in found.msg
    assert "Write media.example.com" in found.msg
    assert media_hosts_are_hosts in registry.get_checks()
