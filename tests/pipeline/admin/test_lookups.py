"""Addresses of the admin that make no sense are answered with a message or as not found, never with an error."""

from contextlib import contextmanager

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from competitors.models import CompetitorAmazonUrl
from pipeline import api
from pipeline.admin.lookups import SensibleLookups
from pipeline.models import Run
from tests.factories import make_brand, make_listing

HUGE = "9" * 23
QUERIES = [
    *("id__foo=1", "nothing=1", "=1", "__=1", "&&&", "name__foo__bar=1", "pk__exact__exact=1", "brand=x", "brand__in=x"),
    *("pk=x", "pk=%00", f"pk={HUGE}", f"pk__in={HUGE}", "pk__in=x,y", "pk__gt=x", "pk__lt=1e400", "id__range=1"),
    *("o=999", "o=x.y", "o=-1.-1.1", "o=%00", f"o={HUGE}", "p=999", "p=-1", f"p={HUGE}", "p=x", "all=x", "e=1", "e=x"),
    *("q=%00", f"q={HUGE}", "q=%22%27%5C%25", "q=%ED%A0%80", "_to_field=x", "_to_field=password", "_facets=x"),
    *("status=%00", "status__regex=((", "name=%00", "name__search=x", "parameters=%7B", "parameters__0__x__contains=1"),
    *("created_at__year=x", "created_at__year=0", "created_at__year=99999", "created_at__gte=9999999-01-01", "is_active=%00"),
    *("created_by__password__startswith=p", "user__password=x", "brand__name__regex=("),
]
NO_ID = ["x", "%00", HUGE, "1e400", "%F0%9F%98%80", "x" * 300]
MODELS = [Run, User, CompetitorAmazonUrl]  # with a number, with people, and with a UUID

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root", password="pass"))
    return client


@contextmanager
def undone():
    """One request's errors do not become the next one's, where all of a test is one transaction."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def address(model, what="changelist", *of):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=of)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_look_up_is_an_error(root, model):
    api.queue_one_time_job(make_listing().competitor.brand_id, "toy")  # a filter is only tried where there are rows
    for query in QUERIES:
        with undone():
            assert root.get(f"{address(model)}?{query}").status_code in (200, 302, 400), query


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_id_and_no_ticked_row_is_an_error(root, model):
    for pk in NO_ID:
        for what in ("change", "delete", "history"):
            with undone():
                answer = root.get(address(model, "change", "PK").replace("PK", pk).replace("/change/", f"/{what}/"))
            assert answer.status_code in (302, 403, 404), (what, pk)
        with undone():
            ticked = {"action": "delete_selected", "_selected_action": [pk.replace("%00", "\0")], "post": "yes"}
            assert root.post(address(model), ticked).status_code in (200, 302, 403), pk


def test_every_list_is_one_of_these():
    """The tests above ask three of them."""
    assert [str(one) for one in admin.site._registry.values() if not isinstance(one, SensibleLookups)] == []


def test_the_list_says_that_it_shows_all_rows(root):
    run = api.queue_one_time_job(make_brand().pk, "toy").run
    for query in ("id__range=1", "nothing=1"):
        answer = root.get(f"{address(Run)}?{query}", follow=True)
        assert "This list cannot be filtered or sorted as the address asks. It shows all rows." in answer.content.decode()
        assert f"/{run.pk}/change/" in answer.content.decode()


def test_a_filter_that_makes_sense_is_used_without_a_word(root):
    api.queue_one_time_job(make_brand().pk, "toy")
    answer = root.get(f"{address(Run)}?status=failed", follow=True)
    assert "0 runs" in answer.content.decode()
    assert "cannot be filtered" not in answer.content.decode()


@pytest.mark.parametrize("query", ["term=%00", f"term=x&page={HUGE}", "app_label=x&model_name=y&field_name=z", "term=x&page=x"])
def test_no_search_for_a_relation_is_an_error(root, query):
    fields = "" if "app_label" in query else "&app_label=pipeline&model_name=job&field_name=brand"
    with undone():
        assert root.get(f"{reverse('admin:autocomplete')}?{query}{fields}").status_code in (200, 400, 403, 404)
