from django.db import models


class Restore(models.Model):
    """The database was restored from a backup. What was paid for between the two times is not in the ledger."""

    taken_at = models.DateTimeField(help_text="When the backup was made.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"Restored {self.at} from a backup of {self.taken_at}"
