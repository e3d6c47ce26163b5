"""What pages say about many subjects of one job type, read for all of them together: queries do not grow with subjects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum, Window
from django.db.models.functions import RowNumber

from ..models import Reuse, Run, RunLog, UpstreamRun
from ..models.runs import RunQuerySet
from ..states import RunStatus, Verdict
from .estimates import GoodRun, efforts
from .runs import RunRow, Subjects, is_about, of_subjects, run_rows

LOG_LINES = 6
GOOD_RUNS = 10  # of each subject and options: enough to tell what is usual


@dataclass(frozen=True)
class Spend:
    """Paid for a subject so far, USD; an estimate until the upstream reports the final cost."""

    usd: Decimal = Decimal(0)
    runs: int = 0
    is_estimate: bool = False


def live_runs(job_type: str, subjects: Sequence[str]) -> dict[str, Run]:
    """By subject, its live run, or one of what belongs to it. Only for subjects of one brand, such as rows with a UUID."""
    below = Run.objects.with_key().filter(job_type=job_type, subject__contains=" ")  # only a few at any time
    found = {owner: run for run in below if (owner := run.subject.partition(" ")[0]) in subjects}
    return found | {run.subject: run for run in _live(job_type, subjects)}


def live_rows(
    job_type: str, brand_id: UUID | None, subjects: Sequence[str], *, user: Any, known: Mapping[str, Iterable[RunRow]]
) -> dict[str, RunRow]:
    """The row of each subject's live run. `known`: rows read already, such as recent_runs(), which are not read again.

    A schedule's run has the key as soon as it is claimed.
    """
    by_run = {row.run.pk: row for rows in known.values() for row in rows}
    holders = dict(_live(job_type, subjects).filter(Q(brand_id=brand_id)).values_list("subject", "pk"))
    if others := [pk for pk in holders.values() if pk not in by_run]:
        by_run |= {row.run.pk: row for row in run_rows(Run.objects.for_rows().filter(pk__in=others), user)}
    return {subject: by_run[pk] for subject, pk in holders.items() if pk in by_run}


def spends(job_type: str, brand_id: UUID | None, subjects: Subjects) -> dict[str, Spend]:
    """By subject: what its paid starts cost, or are expected to cost until the upstream reports the final cost."""
    rows = (
        UpstreamRun.objects.paid()
        .filter(Q(run__brand_id=brand_id), of_subjects(subjects, "run__"), run__job_type=job_type)
        .order_by()
        .values("run__subject", "run__about")
        .annotate(
            usd=Sum("cost"),
            runs=Count("run", distinct=True),
            open=Count("pk", filter=Q(cost_settled=False)),
        )
    )
    found: dict[str, Spend] = {}
    for row in rows:
        if is_about(subjects, row["run__subject"], row["run__about"]):
            before = found.get(row["run__subject"], Spend())
            is_estimate = before.is_estimate or bool(row["open"])
            found[row["run__subject"]] = Spend(before.usd + row["usd"], before.runs + row["runs"], is_estimate)
    return found


def log_tails(run_ids: Iterable[int], lines: int = LOG_LINES) -> dict[int, list[RunLog]]:
    """The last log lines of each run, oldest first."""
    ids = list(run_ids)
    if not ids:
        return {}
    numbered = RunLog.objects.filter(run_id__in=ids).annotate(
        back=Window(RowNumber(), partition_by=F("run_id"), order_by=F("seq").desc())
    )
    tails: dict[int, list[RunLog]] = {}
    for line in numbered.filter(back__lte=lines).order_by("run_id", "seq"):
        tails.setdefault(line.run_id, []).append(line)
    return tails


def good_runs(job_type: str, brand_id: UUID | None, subjects: Subjects) -> dict[str, list[GoodRun]]:
    """The last accepted runs of each subject, newest first: what is usual, and what an estimate is made from. Accepted:
    completed ok, or accepted by a person.

    Up to ten of each different parameters, so that many runs with other options do not hide those that are comparable.
    """
    good = Run.objects.filter(
        Q(brand_id=brand_id), of_subjects(subjects), job_type=job_type, status=RunStatus.COMPLETED, verdict=Verdict.OK
    )
    good = good.annotate(
        back=Window(RowNumber(), partition_by=[F("subject"), F("about"), F("parameters")], order_by=F("pk").desc())
    )
    # Values: a page reads a hundred of them, and making rows of models takes longer than reading them.
    rows = good.filter(back__lte=GOOD_RUNS).order_by("-pk").values_list("pk", "subject", "about", "parameters", "counts")
    mine = [row for row in rows if is_about(subjects, row[1], row[2])]
    ids = [row[0] for row in mine]
    took, reused = efforts(ids), {*Reuse.objects.filter(run__in=ids).values_list("run", flat=True)}
    found: dict[str, list[GoodRun]] = {subject: [] for subject in subjects}
    for pk, subject, _, parameters, counts in mine:
        found[subject].append(GoodRun(pk, parameters, counts, took.get(pk), pk in reused))
    return found


def good_runs_of(job_type: str, brand_id: UUID | None, subject: str, about: str) -> list[GoodRun]:
    """good_runs() of one subject, as what it is about now."""
    return good_runs(job_type, brand_id, {subject: about})[subject]


def _live(job_type: str, subjects: Sequence[str]) -> RunQuerySet:
    return Run.objects.with_key().filter(job_type=job_type, subject__in=subjects)
