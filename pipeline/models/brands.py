import uuid

from django.conf import settings
from django.db import models

from .fields import ForeignCharField
from .validators import validate_time_zone


class Brand(models.Model):
    """The owner of jobs, runs and freshness. Everything else about a brand belongs to the domain's app."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = ForeignCharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text="Time zone of its schedules. Empty: the site's time zone.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BrandLimit(models.Model):
    """Limits a person to some brands. Without such a row every brand is open.

    A row of its own, and not only the chosen brands: when the last of them is deleted, the person sees nothing, not everything.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="brand_limit")
    brands = models.ManyToManyField("pipeline.Brand", related_name="+")

    def __str__(self) -> str:
        return f"Brands of {self.user}"
