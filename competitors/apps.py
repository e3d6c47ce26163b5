from django.apps import AppConfig


class CompetitorsConfig(AppConfig):
    name = "competitors"
    verbose_name = "Competitor research"

    def ready(self) -> None:
        from . import upstream  # noqa: F401  its sources register themselves
