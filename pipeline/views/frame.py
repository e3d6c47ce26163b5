"""What the frame of every page shows."""

from contextlib import suppress
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from django.utils import timezone

from .. import queries
from ..people import brands_for
from .manager import TABS
from .manager.counts import remembered

THEMES = [
    {"value": "auto", "word": "System", "icon": "theme"},
    {"value": "light", "word": "Light", "icon": "sun"},
    {"value": "dark", "word": "Dark", "icon": "moon"},
]


PAUSED = "live_paused"  # session key


def frame(request: HttpRequest) -> dict[str, Any]:
    """Sections, tabs of the Pipeline Manager, theme, zone and environment, as `frame`."""
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
            "tabs": partial(_tabs, request),
            "no_worker": partial(_no_worker, request),
            "paused": partial(_paused, request),
            # Where a form leads back to. A page that refuses a form may have an address that takes no GET.
            "here": request.get_full_path() if request.method == "GET" else "",
            "scrapes": next((section for section in sections if section["scrapes"]), None),
            "home": sections[0] if sections else None,
        }
    }


def _sections(request: HttpRequest) -> list[dict[str, Any]]:
    """The sections that this person may use. A section is current on its own page and on all pages below it."""
    user = getattr(request, "user", None)
    staff = user is not None and user.is_staff
    navigation: list[dict[str, Any]] = settings.NAVIGATION
    sections = []
    for entry in navigation:
        url = reverse(entry["url"])
        if not (staff if entry.get("staff") else user is not None and _may_open(user, url)):
            continue
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


def _no_worker(request: HttpRequest) -> str | None:
    """What to say while no worker is alive, to those who see runs."""
    return queries.no_worker_since(timezone.now()) if request.user.has_perm("pipeline.view_run") else None


def _paused(request: HttpRequest) -> bool:
    """Whether this session wants pages to stay as they are: no part of one polls then."""
    return bool(request.session.get(PAUSED))


def _tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """The tabs of the Pipeline Manager that this person may open."""
    counts = remembered(request.user)
    return [
        {"label": label, "name": name, "url": url, "count": counts.get(name)}
        for label, name, url in _existing_tabs()
        if _may_open(request.user, url)
    ]


@cache
def _existing_tabs() -> list[tuple[str, str, str]]:
    found = []
    for label, name in TABS:
        with suppress(NoReverseMatch):
            found.append((label, name, reverse(name)))
    return found


def _may_open(user: Any, url: str) -> bool:
    """Whether the page's view lets the person in."""
    permissions, platform = _needed(url)
    return bool(user.has_perms(permissions)) and not (platform and None not in brands_for(user))


@cache
def _needed(url: str) -> tuple[tuple[str, ...], bool]:
    """What the page's view asks for."""
    view = resolve(url).func
    return getattr(view, "needs", ()), getattr(view, "platform", False)
