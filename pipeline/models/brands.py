import uuid

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
