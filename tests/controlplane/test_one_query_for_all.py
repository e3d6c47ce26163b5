"""What tests/one_query_for_all.py finds, in every test that asks for a page."""

import pytest
from django.http import HttpResponse
from zeal import NPlusOneError

from pipeline import api
from pipeline.models import Run
from tests.factories import make_brand
from tests.one_query_for_all import middleware

pytestmark = pytest.mark.django_db


def names(rows):
    return middleware(lambda _: HttpResponse([run.brand.name for run in rows]))


def test_a_query_for_each_row_is_found_where_something_is_shown(rf):
    for name in ("One", "Two"):
        api.queue_one_time_job(make_brand(name).pk, "toy")
    runs = Run.objects.order_by("pk")
    with pytest.raises(NPlusOneError, match=r"N\+1 detected on pipeline.Run.brand"):
        names(runs)(rf.get("/"))
    assert names(runs.select_related("brand"))(rf.get("/")).content == b"OneTwo"
    assert names(runs)(rf.post("/")).content == b"OneTwo"


def test_it_stands_before_every_page(settings):
    assert settings.MIDDLEWARE[0] == "tests.one_query_for_all.middleware"
