from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save


class PipelineConfig(AppConfig):
    name = "pipeline"
    verbose_name = "Pipeline"

    def ready(self) -> None:
        # Models cannot be imported earlier.
        from . import checks  # noqa: F401  checks register themselves
        from .contract.registry import discover
        from .contract.site.search_index import index_queued, make_indexes
        from .contract.source import register_round
        from .engine.database import count_changes, wake_workers
        from .models import ConcurrencyLimit, Pause
        from .people import audited, sync_groups  # noqa: F401  audited registers what it watches

        def wake(**_: Any) -> None:
            wake_workers()

        discover()
        post_migrate.connect(sync_groups, dispatch_uid="sync_groups")
        post_migrate.connect(count_changes, sender=self, dispatch_uid="count_changes")
        post_migrate.connect(make_indexes, sender=self, dispatch_uid="make_indexes")
        register_round(index_queued)
        for model in (ConcurrencyLimit, Pause):  # a change takes effect at once: idle workers claim again
            for signal in (post_save, post_delete):
                signal.connect(wake, sender=model, weak=False, dispatch_uid=f"wake_workers_{model.__name__}")
