from django.apps import AppConfig


class CompetitorsConfig(AppConfig):
    name = "competitors"
    verbose_name = "Competitor research"

    def ready(self) -> None:
        from . import checks, upstream  # noqa: F401  both register what they have
