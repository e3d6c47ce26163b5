import pytest

from pipeline import api
from pipeline.models import Brand


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


@pytest.fixture
def queue(brand):
    """Queues a run that changes only its own rows."""
    return lambda **parameters: api.queue_one_time_job(brand.pk, "marble", parameters).run
