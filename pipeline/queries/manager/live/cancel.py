"""What is to be known before a live run is cancelled: what was spent, what that bought, and what the cancel saves."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ....contract.tally import rows_met
from ....models import Run, UpstreamRun
from ...estimates import is_paid, usual_costs
from ...runs import RunRow, run_row


@dataclass(frozen=True)
class CancelRow:
    row: RunRow
    spent: Decimal
    saves: Decimal
    rows: int  # saved so far


def cancel_row(run: Run, user: Any = None) -> CancelRow:
    row = run_row(run, user)
    started = [one for one in run.upstream_runs.all() if one.status not in UpstreamRun.NOTHING]
    spent = sum((one.cost_actual or Decimal(0) for one in started), Decimal(0))
    expected = sum((one.expected_cost for one in started), Decimal(0)) if started else _expected(run)
    return CancelRow(row, spent, max(expected - spent, Decimal(0)), rows_met(run.counts or {}))


def _expected(run: Run) -> Decimal:
    """Of a run that has started nothing: a planned one has no estimate yet."""
    if run.cost_estimate is None and is_paid(run.job_type):
        return usual_costs([run.job_type]).get(run.job_type, Decimal(0))
    return run.cost_estimate or Decimal(0)
