"""Reports the domain's missing settings, one line each."""

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

# A name or IPv4 address, or an IPv6 address in brackets, then perhaps a port.
HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


@register()
def media_hosts_are_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"MEDIA_EXTRA_HOSTS has an entry that is not a host: {entry!r}. Write media.example.com or 127.0.0.1:9000,"
            " without https:// and without a path.",
            id="competitors.E001",
        )
        for entry in settings.MEDIA_EXTRA_HOSTS
        if not HOST.fullmatch(entry)
    ]


@register(Tags.security, deploy=True)
def apify_has_its_token(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With --deploy only: a development box scrapes the sandbox, which takes any token."""
    if settings.APIFY_TOKEN:
        return []
    return [Warning("APIFY_TOKEN is not set: scrapes will fail at their start.", id="competitors.W001")]
