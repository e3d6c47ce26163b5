import uuid

from django.db import models
from django.urls import reverse

from pipeline.models.fields import ForeignCharField


class Competitor(models.Model):
    """A company that a brand watches."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    brand = models.ForeignKey("pipeline.Brand", on_delete=models.CASCADE, related_name="competitors")
    name = ForeignCharField(max_length=200)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="competitor_once_per_brand")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("amazon", args=[self.brand.slug, self.pk])
