import pytest
from django.db import connection

from .rows import Item, Shop


@pytest.fixture(scope="session")
def tables(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Shop)
            editor.create_model(Item)
        yield
        connection.close()  # it may be as old as the first of these tests, and have been cut since
        with connection.schema_editor() as editor:
            editor.delete_model(Item)
            editor.delete_model(Shop)


@pytest.fixture
def committing(tables, transactional_db):
    yield
    Item.objects.all().delete()  # Django's flush does not include these tables


@pytest.fixture
def db(tables, db):
    return db
