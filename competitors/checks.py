"""Reports the domain's missing settings, one line each."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def apify_has_its_token(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With --deploy only: a development box scrapes the sandbox, which takes any token."""
    if settings.APIFY_TOKEN:
        return []
    return [Warning("APIFY_TOKEN is not set: scrapes will fail at their start.", id="competitors.W001")]
