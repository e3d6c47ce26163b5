"""The registry is the only list of job types: a new one is everywhere by being registered."""

import re
from html import unescape

import pytest
from django.urls import reverse

from pipeline import api
from pipeline.engine.workers.inline import work_off
from tests.factories import make_brand, make_person
from tests.toy.kennel import NAME, open_kennel

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ("overview", "health", "schedules", "active", "runs", "freshness")


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def kennel(brand):
    yield from open_kennel({brand.pk: ["Rex", "Bella"]})


def text(client, address):
    found = client.get(address)
    assert found.status_code == 200, address
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(found.content.decode())).split())


def test_a_job_type_is_in_every_tab_form_filter_and_chart_by_being_registered(client, brand, kennel):
    client.force_login(make_person("anna", "manager"))
    done = api.queue_one_time_job(brand.pk, NAME, {"dog": "Rex"}).run
    work_off()
    waiting = api.queue_one_time_job(brand.pk, NAME, {"dog": "Bella"}).run
    assert [name for name in PAGES if "Walk" not in text(client, reverse(name))] == []
    for form in ("runs", "active"):  # History's filter, the limits and pauses of Active
        assert f'value="{NAME}"' in client.get(reverse(form)).content.decode(), form
    found = client.get(f"{reverse('runs')}?job_type={NAME}&brand={brand.slug}").content.decode()
    assert sorted(map(int, re.findall(r'id="run-(\d+)"', found))) == [done.pk, waiting.pk]
    assert "Bella" in text(client, reverse("active"))
    assert "1 walk." in text(client, done.get_absolute_url())
    assert "Walk" in text(client, waiting.get_absolute_url())
    assert "Rex" in text(client, f"{reverse('subject', args=[NAME, brand.slug])}?subject=Rex")
    assert "Rex" in text(client, reverse("freshness_cell", args=[brand.slug, "walks"]))
