"""What every page's frame needs."""

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
    chosen = next((one for one in THEMES if one["value"] == theme), THEMES[0])
    return {
        "frame": {
            "theme": chosen["value"],
            "theme_word": chosen["word"],
            "themes": THEMES,
            "development": settings.DEBUG,
            "zone": settings.TIME_ZONE.rpartition("/")[2].replace("_", " "),
            "sections": _sections(request),
        }
    }


def _sections(request: HttpRequest) -> list[dict[str, Any]]:
    path = request.path
    sections = [
        {"label": "Overview", "url": reverse("overview"), "current": path == "/"},
        {"label": "Competitors", "url": reverse("competitors"), "current": path.startswith("/competitors/")},
        {"label": "Pipeline", "url": reverse("runs"), "current": path.startswith("/pipeline/"), "gap": True},
    ]
    user = getattr(request, "user", None)
    if user is not None and user.is_staff:
        sections.append({"label": "Admin", "url": reverse("admin:index"), "current": path.startswith("/admin/")})
    return sections
