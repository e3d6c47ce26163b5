"""A manager's browser."""

import pytest
from django.test import Client

from pipeline.models import Brand
from tests.factories import make_person


@pytest.fixture
def manager(brand: Brand) -> Client:
    client = Client()
    client.force_login(make_person("manager", "manager"))
    return client
