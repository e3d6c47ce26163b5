"""The page of a job type's subjects and all that it posts to: made once for every SubjectPage."""

from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST

from pipeline import queries
from pipeline.models import Run
from pipeline.people import can_words
from pipeline.states import TERMINAL
from pipeline.views.access import needs, see_other
from pipeline.views.live import fragment

from .. import requirements
from ..requirements import Fix, Requirement
from . import panels, schedule, scrape, several
from .page import SubjectPage
from .panel import Panel

Page = SubjectPage[Any]
_tabs: dict[str, list[tuple[str, Page]]] = {}  # address above -> the pages side by side below it, each with its own address
ROW_ACTIONS = ("scrape", "price", "schedule")
MAY_SCHEDULE = "pipeline.change_job"
MOST_WATCHED = 100  # run ids that one poll may name


def urls(page: Page, base: str) -> list[URLPattern]:
    """The page at `base`, and its live fragment, switch and Scrape button below it."""
    _tabs.setdefault(_parent(base), []).append((base, page))
    requirements.require(page.url_name, Requirement.of(page), page.tab)
    name, view, act = page.url_name, needs(page.may_view), needs(page.may_scrape)
    plan = needs(page.may_view, MAY_SCHEDULE)
    return [
        path(base, require_GET(view(partial(_show, page))), name=name),
        path(f"{base}live/", require_GET(view(partial(_live, page))), name=f"{name}_live"),
        path(f"{base}legacy/", require_POST(act(partial(_legacy, page))), name=f"{name}_legacy"),
        path(f"{base}several/", act(partial(_several, page)), name=f"{name}_several"),
        path(f"{base}<{page.key_kind}:pk>/price/", require_GET(view(partial(_price, page))), name=f"{name}_price"),
        path(f"{base}<{page.key_kind}:pk>/schedule/", plan(partial(_schedule, page)), name=f"{name}_schedule"),
        path(f"{base}<{page.key_kind}:pk>/scrape/", require_POST(act(partial(_scrape, page))), name=f"{name}_scrape"),
    ]


def _show(page: Page, request: HttpRequest, **address: Any) -> HttpResponse:
    """Every subject with its button, its figures and its last runs."""
    return render(request, f"{page.templates}/page.html", _context(page, request, address))


def _live(page: Page, request: HttpRequest, **address: Any) -> HttpResponse:
    """The panels that were live at the page's last poll, or are now. They also depend on what this session has chosen."""
    chosen = [request.session.get(name) for name in (page.legacy_key, _followed_key(page))]
    return fragment(request, "competitors/_live.html", lambda: _changing(page, request, address), of=chosen)


def _changing(page: Page, request: HttpRequest, address: dict[str, Any]) -> dict[str, Any]:
    before = _watched(request.GET.get("watch", ""))
    context = _context(page, request, address)
    runs = Run.objects.filter(pk__in=before, brand=context["brand"], job_type=page.job_type)
    changing = {run.subject for run in runs} | {panel.key for panel in context["live_panels"]}
    every = page.covers_all and "" in changing
    context["panels"] = [panel for panel in context["panels"] if every or panel.key in changing]
    context["news"] = [
        queries.run_row(run, request.user) for run in runs if run.status != before[run.pk] and run.status in TERMINAL
    ]
    return context


def _legacy(page: Page, request: HttpRequest, **address: Any) -> HttpResponse:
    """Remember for this session where scrapes run."""
    page.place(address)  # 404 if it does not exist
    on = request.session[page.legacy_key] = "legacy" in request.POST
    where = "on the web server, for this session" if on else "on workers"
    messages.success(request, f"{page.act}s now run {where}.")
    return see_other(reverse(page.url_name, kwargs=address))


def _price(page: Page, request: HttpRequest, pk: UUID | int, **address: Any) -> HttpResponse:
    """What a scrape with the sent options is expected to cost and take, and at most costs: a few words for beside the button."""
    row = get_object_or_404(page.rows(page.place(address)), pk=pk)
    chosen = page.parameters(row) | scrape.chosen(page, row, request.GET)
    context = panels.with_options(page, row, chosen, request.user)
    context |= {"anchor": page.anchor(row), "label": page.label(row), "may_scrape": request.user.has_perm(page.may_scrape)}
    return render(request, "competitors/_price.html", context | {"oob": True})


def _scrape(page: Page, request: HttpRequest, pk: UUID | int, **address: Any) -> HttpResponse:
    """Start a scrape and go back to the subject's panel."""
    return scrape_row(page, request, get_object_or_404(page.rows(page.place(address)), pk=pk))


def scrape_row(page: Page, request: HttpRequest, row: Any) -> HttpResponse:
    """Start a scrape of the row where this session's scrapes run, and go to its panel."""
    run = scrape.press(request, page, row, legacy=bool(request.session.get(page.legacy_key)))
    if run:
        request.session[_followed_key(page)] = request.session.get(_followed_key(page), {}) | {page.key(row): run.pk}
    return see_other(page.url(row))


def _schedule(page: Page, request: HttpRequest, pk: UUID | int, **address: Any) -> HttpResponse:
    """When the subject is scraped by itself."""
    place = page.place(address)
    return schedule.show(page, request, get_object_or_404(page.rows(place), pk=pk), place)


def _several(page: Page, request: HttpRequest, **address: Any) -> HttpResponse:
    """GET says what scrapes of the ticked subjects cost together, POST queues them."""
    context = _context(page, request, address)
    back = reverse(page.url_name, kwargs=address)
    chosen = several.asked_for(request, context["panels"])
    if request.method == "POST":
        words, level = several.queue(page, [panel.row for panel in chosen], request.user, legacy=context["legacy"])
        messages.add_message(request, level, " ".join([words, *context["before"]]))
        return see_other(back)
    bill = several.bill(chosen)
    over = queries.over_the_limit(bill["price"], queries.spent_today()) if bill["price"] else ""
    context |= {"chosen": chosen, "panels": chosen or context["panels"], "bill": bill, "over": over, "back": back}
    return render(request, "competitors/several.html", context)


def _context(page: Page, request: HttpRequest, address: dict[str, Any]) -> dict[str, Any]:
    place = page.place(address) | {"asked": request.GET}
    rows = list(page.rows(place))
    facts = page.facts(rows)
    shown = panels.build(page, place["brand"], rows, facts, request.user, request.session.get(_followed_key(page), {}))
    above = reverse(page.url_name, kwargs=address)  # once: for thirty subjects, reverse() took a millisecond
    for panel in shown:
        panel.urls = {name: f"{above}{panel.row.pk}/{name}/" for name in ROW_ACTIONS}
    live_panels = [panel for panel in shown if panel.live]
    closed = page.closed(place)
    may_scrape = not closed and request.user.has_perm(page.may_scrape)
    return place | {
        "page": page,
        "tabs": _tabs_beside(page, place, address, len(rows)),
        "links": {name: reverse(f"{page.url_name}_{name}", kwargs=address) for name in ("live", "legacy", "several")},
        "panels": shown,
        "live_panels": live_panels,
        "subject_count": len(rows),
        "last_good": panels.last_good(shown),
        "at_work": sum(panel.at_work for panel in shown),
        "spent": sum((panel.spend.usd for panel in shown), Decimal(0)),
        "before": [] if closed else queries.before_the_click(page.job_type, place["brand"].pk, request.user),
        "bill": several.bill(shown),
        "legacy": bool(request.session.get(page.legacy_key)),
        "watch": ",".join(f"{panel.live.run.pk}:{panel.live.run.status}" for panel in live_panels if panel.live),
        "primary": panels.most_wanted(shown),
        "may_scrape": may_scrape,
        "closed": closed,
        "lacking": "" if may_scrape else closed or can_words(page.may_scrape),
        "may_run_now": not closed and request.user.has_perm("pipeline.scrape_run"),
        "may_schedule": not closed and request.user.has_perm(MAY_SCHEDULE),
        "may_cancel": request.user.has_perm("pipeline.cancel_run"),
        **({"banner": None} if closed else _banner(page, shown)),
        **page.more(place, facts),
    }


def _banner(page: Page, shown: list[Panel]) -> dict[str, Any]:
    """Without a subject the page itself says how to add one."""
    fixes = {
        panel.key: Fix(
            panel.label,
            panel.urls["scrape"],
            panel.url,
            {option.name: option.initial for option in panel.options},
            panel.free,
        )
        for panel in shown
    }
    return requirements.shown(page.url_name, [panels.state(panel) for panel in shown], fixes)


def _parent(base: str) -> str:
    """'competitors/<uuid:competitor>/' of 'competitors/<uuid:competitor>/amazon/'."""
    return base.rstrip("/").rpartition("/")[0] + "/"


def _tabs_beside(page: Page, place: dict[str, Any], address: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """The pages of all job types at the same place, the current one with its number of subjects."""
    base = next(base for pages in _tabs.values() for base, one in pages if one is page)
    return [
        {
            "label": one.tab,
            "url": reverse(one.url_name, kwargs=address),
            "current": one is page,
            "count": count if one is page else one.rows(place).count(),
        }
        for _, one in _tabs[_parent(base)]
    ]


def _followed_key(page: Page) -> str:
    """Session: a subject's key -> the run that was started for it on the web server."""
    return f"{page.url_name}_followed"


def _watched(text: str) -> dict[int, str]:
    """'481:running,482:pending' as the page was built with. Anything else is ignored."""
    watched = {}
    for part in text.split(",")[:MOST_WATCHED]:
        pk, _, status = part.partition(":")
        if pk.isdecimal() and len(pk) < 19:
            watched[int(pk)] = status
    return watched
