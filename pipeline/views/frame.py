"""What the frame of every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

THEMES = [
    {"value": "auto", "word": "System", "icon": "theme"},
    {"value": "light", "word": "Light", "icon": "sun"},
    {"value": "dark", "word": "Dark", "icon": "moon"},
]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Sections, theme, zone and environment, as `frame`."""
    theme = request.COOKIES.get("theme", "auto")
    sections = _sections(request)
    chosen = next((one for one in THEMES if one["value"] == theme), THEMES[0])
    return {
        "frame": {
            "theme": chosen["value"],
            "theme_word": chosen["word"],
            "themes": THEMES,
            "development": settings.DEBUG,
            "zone": settings.TIME_ZONE.rpartition("/")[2].replace("_", " "),
            "sections": sections,
            "scrapes": next((section for section in sections if section["scrapes"]), None),
        }
    }


def _sections(request: HttpRequest) -> list[dict[str, Any]]:
    """The sections that this person may use. A section is current on its own page and on all pages below it."""
    user = getattr(request, "user", None)
    staff = user is not None and user.is_staff
    navigation: list[dict[str, Any]] = settings.NAVIGATION
    sections = []
    for entry in navigation:
        if entry.get("staff") and not staff:
            continue
        url = reverse(entry["url"])
        prefix = entry.get("prefix", url)
        current = request.path == url if prefix == "/" else request.path.startswith(prefix)
        sections.append(
            {
                "label": entry["label"],
                "url": url,
                "current": current,
                "gap": entry.get("gap", False),
                "scrapes": entry.get("scrapes", False),
            }
        )
    return sections
