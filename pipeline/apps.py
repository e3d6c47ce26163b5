from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "pipeline"
    verbose_name = "Pipeline"

    def ready(self) -> None:
        from . import checks, registry  # noqa: F401  checks register themselves

        registry.discover()
