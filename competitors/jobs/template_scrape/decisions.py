"""Decides about candidates, and undoes it. Each decision is a conditional update: who was slower is told, and changes nothing."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from competitors.models import TemplateCandidate, TemplateCategory, TemplateDecision, TemplateNiche
from pipeline.api import worked_on

EVALUATED = "templates_evaluated"  # the dataset that reviewing brings up to date
Status = TemplateCandidate.Status
UNTITLED = "Untitled"


@dataclass(frozen=True)
class Decided:
    """`batch` undoes what was done; `refused` says of each other one why nothing was changed."""

    batch: uuid.UUID
    done: list[TemplateCandidate]
    refused: list[str]


def decide(
    keys: Iterable[int],
    was: str,
    status: str,
    by: Any,
    *,
    filed: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Decided:
    """Make them `status`, those that are still what the person saw: `was`, and of this `version` if one is given.

    `filed`: the columns of TemplateCandidate.FILED. A template without a name takes that of its ad.
    """
    batch, at = uuid.uuid4(), timezone.now()
    done, refused = [], []
    with transaction.atomic():
        rows = TemplateCandidate.objects.select_related("library_ad", "media", "reviewed_by")
        for row in rows.filter(pk__in=list(keys)).order_by("pk"):  # in one order, or two people could deadlock
            seen = TemplateCandidate.objects.filter(pk=row.pk, status=was, version=row.version if version is None else version)
            if not seen.update(version=F("version") + 1, **_columns(row, status, by, at, filed or {})):
                row.refresh_from_db()
                refused.append(_taken(row, was))
                continue
            TemplateDecision.objects.create(
                candidate=row, batch=batch, status=status, before=row.state(), version=row.version + 1, by=by
            )
            done.append(row)
        if done:
            worked_on(EVALUATED, None, records=len(done))
    return Decided(batch, done, refused)


def undo(batch: uuid.UUID, by: Any) -> Decided:
    """Restore what the candidates of one click were. One that was decided about again since stays."""
    done, refused = [], []
    with transaction.atomic():
        for decision in (
            TemplateDecision.objects.filter(batch=batch).select_related("candidate__library_ad").order_by("candidate")
        ):
            row = decision.candidate
            same = TemplateCandidate.objects.filter(pk=row.pk, version=decision.version)
            if not same.update(version=F("version") + 1, **_before(decision.before)):
                what = "was undone already" if decision.undone_at else "was decided about again since, so it stays"
                refused.append(f"“{row.title}” {what}.")
                continue
            TemplateDecision.objects.filter(pk=decision.pk).update(undone_at=timezone.now())
            done.append(row)
    return Decided(batch, done, refused)


def _columns(row: TemplateCandidate, status: str, by: Any, at: datetime, filed: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: filed[name] for name in TemplateCandidate.FILED if name in filed}
    if status == Status.APPROVED and not columns.get("name", row.name):
        columns["name"] = (row.library_ad and (row.library_ad.title or row.library_ad.page_name)) or UNTITLED
    pending = status == Status.PENDING
    return columns | {"status": status, "reviewed_by": None if pending else by, "reviewed_at": None if pending else at}


def _before(state: Mapping[str, Any]) -> dict[str, Any]:
    """The columns as they were, without what was deleted meanwhile."""
    columns = {name: state.get(name) for name in TemplateCandidate.DECIDED}
    models: dict[str, Any] = {"category_id": TemplateCategory, "niche_id": TemplateNiche, "reviewed_by_id": get_user_model()}
    for name, model in models.items():
        if columns[name] is not None and not model.objects.filter(pk=columns[name]).exists():
            columns[name] = None
    return columns | {"reviewed_at": parse_datetime(state["reviewed_at"]) if state.get("reviewed_at") else None}


def _taken(row: TemplateCandidate, was: str) -> str:
    if row.status == was:
        return f"“{row.title}” was changed by {row.reviewed_by or 'somebody'} just now. Look at it again."
    who = f" by {row.reviewed_by}" if row.reviewed_by else ""
    return f"“{row.title}” is {row.get_status_display().lower()} already{who}. Nothing was changed."
