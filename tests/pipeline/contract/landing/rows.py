"""Models for these tests, and pages for them: landing must work with any model."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.apps.registry import Apps
from django.db import models
from django.db.models import Q

from pipeline.contract.landing import Landed, Values, land
from pipeline.models.fields import ForeignCharField, ForeignJSONField, ForeignTextField

registry = Apps()  # their own registry keeps them out of migrations and of Django's flush
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = ["code", "place"]


class Shop(models.Model):
    """A serial primary key, and every kind of default."""

    name = models.CharField(max_length=100, unique=True)
    rank = models.IntegerField(default=7)
    color = models.CharField(max_length=10, db_default="green")
    tags = models.JSONField(default=list)
    made_at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager["Shop"] = models.Manager()

    class Meta:
        apps = registry
        app_label = "landing_tests"
        db_table = f"Landing test {44 * 'x'} shop"  # no room for a prefix: PostgreSQL cuts names at 63 bytes


class Item(models.Model):
    """A random primary key, a compound natural key, a column of each type, and names that need quotes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    code = ForeignCharField(max_length=40)
    place = models.SlugField(max_length=10)
    title = ForeignTextField(default="")
    stars = models.PositiveSmallIntegerField(null=True, db_column="order")
    price = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    weight = models.FloatField(null=True)
    verified = models.BooleanField(null=True)
    day = models.DateField(null=True)
    at = models.DateTimeField(null=True)
    ref = models.UUIDField(null=True)
    data = ForeignJSONField(null=True)
    shop = models.ForeignKey(Shop, null=True, on_delete=models.SET_NULL, related_name="+")
    first_seen_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    last_run = models.BigIntegerField(null=True)

    objects: models.Manager["Item"] = models.Manager()

    class Meta:
        apps = registry
        app_label = "landing_tests"
        db_table = f"Landing test {44 * 'x'} item"  # if cut, both names would be the same
        constraints = [
            models.UniqueConstraint(fields=["code", "place"], name="landing_test_key"),
            models.CheckConstraint(condition=Q(stars__lte=5), name="landing_test_stars"),
        ]


def item(code: str | None, **fields: Any) -> dict[str, Any]:
    return {"code": code, "place": "com", "title": "Good", "stars": 5} | fields


def land_items(rows: Sequence[Values], run: int = 1, at: datetime = NOON, **options: Any) -> Landed:
    """Land a page of run `run`, fetched `at` that time."""
    touch = {"last_seen_at": at, "last_run": run}
    return land(Item, rows, key=KEY, touch=touch, first={"first_seen_at": at}, **options)
