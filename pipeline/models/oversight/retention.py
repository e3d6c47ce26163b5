from django.db import models

from ..fields import ForeignJSONField


class Retention(models.Model):
    """How far the removal of old details has come. One row; whoever updates `next_at` has the turn."""

    next_at = models.DateTimeField()
    passed_at = models.DateTimeField(null=True, help_text="End of the last run that was looked at. Empty: none yet.")
    passed_id = models.PositiveBigIntegerField(default=0, help_text="That run.")
    removed = ForeignJSONField(default=dict, help_text="What went in this round, by kind.")

    def __str__(self) -> str:
        return "Removal of old details"
