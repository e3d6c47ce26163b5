"""Why a click made no new run: what the live run is doing, and how its options differ."""

from collections.abc import Mapping
from typing import Any

from django.contrib.humanize.templatetags.humanize import ordinal
from django.forms.utils import pretty_name
from django.utils import timezone

from ..contract.registry import find_type
from ..models import Run
from ..states import RunStatus
from ..words import clock, in_words
from .explain import QueueView, kept_back, missing_code
from .runs import run_row

SWITCH = {True: "on", False: "off"}


def already_queued(run: Run, wanted: Mapping[str, Any] | None = None, user: Any = None) -> str:
    """`wanted`: the parameters that were asked for. `user`: whose own runs are 'by you'."""
    other = _other_options(run, wanted or {})
    return f"{_progress(run, user)} Its options differ: {other}." if other else _progress(run, user)


def _progress(run: Run, user: Any) -> str:
    now = timezone.now()
    around = QueueView(now, user)
    row = run_row(run, user, around)
    if run.status == RunStatus.PENDING and run.attempt:
        return f"Run {run.pk} is already doing this. {row.explanation} Run now tries it at once."
    if run.status != RunStatus.PENDING:
        since = clock(run.started_at or run.created_at)
        doing = f"Run {run.pk} is already doing this. Started at {since} by {row.by}."
        return f"{doing} {missing_code(run, now) or row.explanation}".strip()
    queued = f"Run {run.pk} was already queued {in_words(now - run.created_at)} ago by {row.by}"
    # Name its place only if its turn will come: not before it is due, nor while a pause or limit keeps it back.
    place = around.places.get(run.pk) if around.brands.every and run.due_at <= now and not kept_back(run, around) else None
    return f"{queued}, {ordinal(place)} in the queue." if place else f"{queued}. {row.explanation}"


def _other_options(run: Run, wanted: Mapping[str, Any]) -> str:
    """'Country: DE; Only active ads: on' for the options in which the run differs from what was wanted; '' if none."""
    handler = find_type(run.job_type)
    fields = handler.Params.base_fields if handler else {}
    return "; ".join(  # in the form's order: PostgreSQL keeps no order of a JSON object's names
        f"{field.label or pretty_name(name)}: {SWITCH[value] if isinstance(value, bool) else value}"
        for name, field in fields.items()
        if name in wanted and name in run.parameters and str(value := run.parameters[name]) != str(wanted[name])
    )
