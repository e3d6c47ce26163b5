from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save

from .engine.database import wake_workers


class PipelineConfig(AppConfig):
    name = "pipeline"
    verbose_name = "Pipeline"

    def ready(self) -> None:
        from . import checks, registry  # noqa: F401  checks register themselves
        from .models import ConcurrencyLimit, Pause

        registry.discover()
        for model in (ConcurrencyLimit, Pause):  # in force at once, whoever changes them: idle workers look again
            for signal in (post_save, post_delete):
                signal.connect(_wake_workers, sender=model)


def _wake_workers(**_: Any) -> None:
    wake_workers()
