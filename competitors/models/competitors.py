import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from pipeline.models.brands import namesake
from pipeline.models.fields import NameField


class Competitor(models.Model):
    """A company that a brand watches."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    brand = models.ForeignKey("pipeline.Brand", on_delete=models.CASCADE, related_name="competitors")
    name = NameField(max_length=200)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="competitor_once_per_brand")]

    def __str__(self) -> str:
        return self.name

    @property
    def closed(self) -> str:
        """Why nothing new may start for it; '' while it may."""
        return self.brand.closed or (f"{self.name} is archived. Restore it first." if self.archived_at else "")

    def clean(self) -> None:
        if not hasattr(self, "brand"):  # the admin's form says so
            return
        others = dict(Competitor.objects.filter(brand=self.brand_id).exclude(pk=self.pk).values_list("name", "archived_at"))
        if other := namesake(self.name, others):
            state = " It is archived: restore it." if others[other] else ""
            raise ValidationError({"name": f"{self.brand} already has a competitor called {other}.{state}"})

    def get_absolute_url(self) -> str:
        return reverse("amazon", args=[self.brand.slug, self.pk])
