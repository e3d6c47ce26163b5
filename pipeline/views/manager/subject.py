"""The page of one subject: how fresh its data is, when it runs next, and what happened to it."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from ...contract.registry import find_type
from ...models import Brand
from ...people import may_spend
from ...queries.manager.timelines.of_subject import subject_history
from ..access import needs
from ..live import fragment

VIEW = "pipeline.view_run"
PAGE, PART = "pipeline/manager/subject.html", "pipeline/manager/_subject_body.html"
PACE, IDLE_PACE = 3, 15  # seconds


@require_GET
@needs(VIEW)
def of_brand(request: HttpRequest, job_type: str, brand: str) -> HttpResponse:
    """A subject of one brand. `subject` in the query is its key; without it, the brand as a whole."""
    return render(request, PAGE, _context(request, job_type, get_object_or_404(Brand, slug=brand)))


@require_GET
@needs(VIEW)
def of_brand_live(request: HttpRequest, job_type: str, brand: str) -> HttpResponse:
    """The part of the page that changes."""
    return fragment(request, PART, lambda: _context(request, job_type, get_object_or_404(Brand, slug=brand)))


@require_GET
@needs(VIEW, platform=True)
def of_platform(request: HttpRequest, job_type: str) -> HttpResponse:
    """A subject of no single brand."""
    return render(request, PAGE, _context(request, job_type, None))


@require_GET
@needs(VIEW, platform=True)
def of_platform_live(request: HttpRequest, job_type: str) -> HttpResponse:
    return fragment(request, PART, lambda: _context(request, job_type, None))


def _context(request: HttpRequest, job_type: str, brand: Brand | None) -> dict[str, Any]:
    handler, key = find_type(job_type), request.GET.get("subject", "")
    if handler is None:
        raise Http404
    before = request.GET.get("before", "")
    history = subject_history(handler, brand, key, request.user, before=before)
    if history is None:
        raise Http404
    live = reverse("subject_live", args=[job_type, brand.slug]) if brand else reverse("subject_of_platform_live", args=[job_type])
    return {
        "history": history,
        "handler": handler,
        "before": before,
        "may_scrape": may_spend(request.user, brand.pk if brand else None, handler.name),
        "runs": [
            (one, urlencode({"job_type": one.name, "subject": key} | ({"brand": brand.slug} if brand else {})))
            for one in history.types
        ],
        "newest": f"?{urlencode({'subject': key})}",
        "older": f"?{urlencode({'subject': key, 'before': history.older})}" if history.older else "",
        "live": "" if before else f"{live}?seen=&{urlencode({'subject': key})}",
        "pace": PACE if any(one.row.live for one in history.moments if one.row) else IDLE_PACE,
    }
