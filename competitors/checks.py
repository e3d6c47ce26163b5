"""What the domain needs on a production box, each said in one line."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def apify_can_be_used(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With --deploy: without a token every scrape fails at its start."""
    if settings.APIFY_TOKEN:
        return []
    return [Warning("APIFY_TOKEN is not set: scrapes will fail at their start.", id="competitors.W001")]
