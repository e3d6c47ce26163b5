"""Fixtures are found here by pytest."""

import pytest

from tests.factories import make_brand
from tests.receivers import inbox, make_channel, receiver

__all__ = ["inbox", "receiver"]


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def channel():
    return make_channel("slack", "https://hooks.slack.com/services/T0/B0/x")  # no test asks it: nothing is sent
