import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import slugify

from ..words.names import name_key
from ..words.zones import validate_time_zone
from .fields import NameField


class Brand(models.Model):
    """The owner of jobs, runs and freshness. Everything else about a brand belongs to the domain's app."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = NameField(max_length=200)
    slug = models.SlugField(
        max_length=80, unique=True, blank=True, help_text="Names the brand in addresses. Empty: made from the name."
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text="Time zone of its schedules. Empty: the site's time zone.",
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = self.slug or self._free_slug()
        super().save(*args, **kwargs)

    @property
    def closed(self) -> str:
        """Why nothing new may start for it; '' while it may."""
        return f"{self.name} is archived. Restore it first." if self.archived_at else ""

    def clean(self) -> None:
        others = dict(Brand.objects.exclude(pk=self.pk).values_list("name", "archived_at"))
        if other := namesake(self.name, others):
            state = " It is archived." if others[other] else ""
            raise ValidationError({"name": f"There already is a brand called {other}.{state} Choose another name."})

    def _free_slug(self) -> str:
        """Made from the name; with a part of the id if the name has no Latin letter or digit, or another brand has the slug."""
        plain = slugify(self.name)[:70].strip("-")
        free = plain and not Brand.objects.filter(slug=plain).exists()
        return plain if free else f"{plain or 'brand'}-{self.pk.hex[:8]}"


class BrandLimit(models.Model):
    """Limits a person to some brands. Without such a row every brand is open.

    A row of its own, and not only the chosen brands: when the last of them is deleted, the person sees nothing, not everything.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="brand_limit")
    brands = models.ManyToManyField("pipeline.Brand", related_name="+")

    def __str__(self) -> str:
        return f"Brands of {self.user}"


def namesake(name: str, others: Iterable[str]) -> str | None:
    """The first of the other names that people would take for the same as this one."""
    return next((other for other in others if name_key(other) == name_key(name)), None)
