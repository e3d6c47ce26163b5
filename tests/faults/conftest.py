import pytest

from pipeline.models import Brand


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")
