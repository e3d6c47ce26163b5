"""The charts' numbers, a line for each day. Read only when somebody opens them: a year has thousands of cells."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from pipeline.views.access import needs

from ..figures.days import Day
from ..figures.window import day_in_words
from ..figures.words import money, percent, ratio
from .page import page
from .report.account import Report

LABELS = ("Spend", "ROAS", "CTR")
# As the templates' filter or_dash says it.
UNKNOWN = format_html('<span aria-hidden="true">{}</span><span class="vh">{}</span>', "–", "unknown")


@require_safe
@needs(page.may_view)
def days(request: HttpRequest, brand: str) -> HttpResponse:
    report = page.report(brand, request.GET)
    context = {"brand": report.account.brand, "report": report, "labels": LABELS, "lines": _lines(report)}
    return render(request, "competitors/meta_sync/days.html", context)


def _lines(report: Report) -> SafeString:
    """Newest first. No template: it would take ten times as long."""
    lines = (_line(day, report.currency, report.filter.compares) for day in reversed(report.days.days))
    return format_html_join("\n", '<tr><th scope="row">{}{}</th>{}</tr>', lines)


def _line(day: Day, currency: str, compares: bool) -> tuple[str, str, SafeString]:
    words = (
        lambda one: money(one.spend, currency),
        lambda one: ratio(one.roas),
        lambda one: percent(one.ctr),
    )
    found = []
    for label, of in zip(LABELS, words, strict=True):
        found.append((label, of(day.now) or UNKNOWN))
        if compares:
            found.append(("before", of(day.before) or UNKNOWN))
    cells = format_html_join("", '<td class="num" data-label="{}">{}</td>', found)
    return day_in_words(day.date), " (today so far)" if day.today else "", cells
