"""Tags and filters that all pages share."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.forms import BoundField
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ..states import Badge
from ..words import counted, words_ago
from ..words.foreign import harmless, shortened

register = template.Library()
register.filter("counted", counted)
DASH = '<span aria-hidden="true">–</span><span class="vh">{}</span>'
UNKNOWN, NOT_STARTED, NO_COST = (format_html(DASH, words) for words in ("unknown", "not started", "none"))
LONGEST_RESULT = 160
KEPT = 256  # icons and badges: a page has a hundred, and few that differ
LINE_OF_RUN = (
    '<tr><th scope="row" class="nowrap"><a id="run-{}" href="{}"><span class="wide">Run </span>{}</a></th>'
    '<td>{}{}{}</td><td>{}<span class="by">, by {}</span></td>'
    '<td class="num opt">{}</td><td class="num">{}</td><td class="num">{}</td></tr>'
)
TONES = {constants.SUCCESS: "tone-green", constants.WARNING: "tone-amber", constants.ERROR: "tone-red"}
ICONS = {constants.SUCCESS: "check", constants.WARNING: "alert", constants.ERROR: "alert"}


@register.simple_tag
@lru_cache(KEPT)
def icon(name: str) -> SafeString:
    """A symbol of templates/_icons.html. Decorative: the text beside it says what it means."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
@lru_cache(KEPT)
def badge(value: Badge, size: str = "") -> SafeString:
    """Icon, word and color of a state."""
    return format_html(
        '<span class="badge badge--{}{}">{} {}</span>',
        value.key,
        " badge--l" if size == "l" else "",
        icon(value.icon),
        value.word,
    )


@register.simple_tag
@lru_cache(KEPT)
def state(value: Badge) -> SafeString:
    """The same without the pill, where it is not the first state in its row."""
    return format_html('<span class="state tone-{}">{} {}</span>', value.tone, icon(value.icon), value.word)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString:
    """'3 minutes ago', with the full time as its title."""
    return _time(moment, words_ago(moment, timezone.now())) if moment else UNKNOWN


@register.simple_tag
def subject_page(job_type: str, brand: Any, key: str) -> str:
    """The address of a subject's page, or of the page of the subject that it belongs to. `brand`: None for the platform."""
    address = reverse("subject", args=[job_type, brand.slug]) if brand else reverse("subject_of_platform", args=[job_type])
    owner = key.partition(" ")[0]
    return f"{address}?{urlencode({'subject': owner})}" if owner else address


@register.simple_tag
def lines_of_runs(rows: Iterable[Any], key: str, anchor: str) -> SafeString:
    """The lines of _runs_of_subject.html. No template: a page of ten subjects has fifty, which took a third of its time."""
    return format_html_join("\n", LINE_OF_RUN, (_cells_of_run(row, key, anchor) for row in rows))


def _cells_of_run(row: Any, key: str, anchor: str) -> tuple[Any, ...]:
    run, is_ok, of_more = row.run, row.badge.key == "completed", row.run.subject != key
    result = format_html(
        '<span class="help{}"><bdi>{}</bdi></span>', " opt" if is_ok else "", shortened(row.result, LONGEST_RESULT)
    )
    return (
        f"{anchor}-{run.pk}" if of_more else run.pk,
        run.get_absolute_url(),
        run.pk,
        state(row.badge),
        format_html('<span class="help"><bdi>{}</bdi></span>', run.subject_label) if of_more else "",
        result if row.result and row.result != row.badge.word else "",
        ago(run.started_at) if run.started_at else format_html("queued {}", ago(run.created_at)),
        row.by,
        NOT_STARTED if row.took is None else f"{duration(row.took)} so far" if row.live else lasted(row.took),
        row.rows,
        NO_COST if row.cost is None else f"{'≈ ' if row.cost_is_estimate else ''}{usd(row.cost)}",
    )


@register.simple_tag
def when(moment: datetime | None) -> SafeString:
    """'14:02:11' today, on another day '4 May 2026, 14:02'."""
    if not moment:
        return UNKNOWN
    local = timezone.localtime(moment)
    today = local.date() == timezone.localdate()
    return _time(moment, f"{local:%H:%M:%S}" if today else f"{local.day} {local:%b %Y, %H:%M}")


def _time(moment: datetime, words: str) -> SafeString:
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), f"{local.day} {local:%B %Y, %H:%M:%S %Z}", words
    )


@register.filter
def isolate(text: object) -> str:
    """For text of others where no <bdi> can stand, as in a page's title: its direction does not reach what is around it."""
    return f"\u2068{harmless(str(text))}\u2069" if not str(text).isascii() else str(text)


@register.filter
def duration(value: timedelta | float | None) -> str | SafeString:
    """'1 h 2 m', '8 m 59 s', '0.4 s'."""
    if value is None:
        return UNKNOWN
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60} m"


@register.filter
def lasted(value: timedelta | float | None) -> SafeString:
    """The duration of what is over: the clock does not change it, so a live part that tells it need not be built anew."""
    if value is None:
        return UNKNOWN
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    return format_html('<time datetime="PT{}S">{}</time>', f"{max(seconds, 0):.1f}", duration(seconds))


@register.filter
def usd(value: Decimal | float | None) -> str | SafeString:
    """'$1.86', or four decimals below a cent."""
    if value is None:
        return UNKNOWN
    amount = Decimal(str(value))
    return f"${amount:,.4f}" if 0 < amount < Decimal("0.01") else f"${amount:,.2f}"


@register.filter
def number_or_dash(value: float | None) -> str | SafeString:
    return UNKNOWN if value is None else f"{value:,}"


@register.filter
def or_dash(text: str) -> str | SafeString:
    """Words of a value; '' is one that is not known."""
    return text or UNKNOWN


@register.filter
def message_tone(message: Message) -> str:
    return TONES.get(message.level, "tone-blue")


@register.filter
def message_icon(message: Message) -> str:
    return ICONS.get(message.level, "clock")


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """Label, control, help and error, tied together for screen readers."""
    described = [f"{bound.auto_id}_{part}" for part, there in (("help", bound.help_text), ("error", bound.errors)) if there]
    attributes: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    control = bound.as_widget(attrs=attributes)
    required = " (required)" if bound.field.required else ""
    help_text = format_html('<p class="help" id="{}_help">{}</p>', bound.auto_id, bound.help_text) if bound.help_text else ""
    errors = (
        format_html(
            '<p class="error" id="{}_error">{} <span>{}</span></p>',
            bound.auto_id,
            icon("alert"),
            format_html_join(" ", "{}", ((e,) for e in bound.errors)),
        )
        if bound.errors
        else ""
    )
    return format_html(
        '<div class="field"><label for="{}">{}{}</label>{}{}{}</div>',
        bound.id_for_label,
        bound.label,
        required,
        control,
        help_text,
        errors,
    )
