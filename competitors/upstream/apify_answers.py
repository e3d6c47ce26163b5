"""What Apify answers, read field by field. A field that is absent or makes no sense is unknown, and spoils no other one."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from pipeline.contract.source import Seen

ID = re.compile(r"[A-Za-z0-9]{1,64}")
TAG_MARK = "controlplane/"
# Apify's terminal statuses. Any other status, known or new, means that the run is not over.
ENDS = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED-OUT": "timed_out", "ABORTED": "aborted"}
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(minutes=5)  # a time further ahead of our clock makes no sense
HIGHEST_COST = 10_000  # USD of one run; more makes no sense


class Unreadable(ValueError):
    """The answer lacks what makes it an answer."""


def one_run(answer: Any) -> Seen:
    """The run of {"data": …}. Unreadable without an id and a status."""
    data = part(answer, "data")
    run_id, status = run_id_of(data), text(part(data, "status"))
    if not run_id or not status:
        raise Unreadable("it has no run id or no status")
    return seen(data, run_id)


def seen(data: Any, run_id: str) -> Seen:
    """What a run object, or an entry of a list, tells of the run."""
    started, finished = moment(part(data, "startedAt")), moment(part(data, "finishedAt"))
    agent = text(part(data, "meta", "userAgent"))
    extra = {"dataset": identifier(part(data, "defaultDatasetId")), "store": identifier(part(data, "defaultKeyValueStoreId"))}
    return Seen(
        id=run_id,
        state=ENDS.get(text(part(data, "status")), "running"),
        started_at=started,
        finished_at=None if started and finished and finished < started else finished,
        cost_usd=cost(part(data, "usageTotalUsd")),
        message=text(part(data, "statusMessage")),
        tag=agent.rpartition(TAG_MARK)[2].split(";")[0].strip()[:40] if TAG_MARK in agent else "",
        extra={name: value for name, value in extra.items() if value},
    )


def entries(answer: Any) -> list[Any]:
    """The entries of {"data": {"items": […]}}."""
    items = part(answer, "data", "items")
    if not isinstance(items, list):
        raise Unreadable("it is not a list")
    return items


def part(value: Any, *names: str) -> Any:
    """The value below these names, None where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def run_id_of(data: Any) -> str:
    return identifier(part(data, "id"))


def identifier(value: Any) -> str:
    return value if isinstance(value, str) and ID.fullmatch(value) else ""


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text(value))
        if at.tzinfo is None:
            return None
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if EARLIEST <= at <= datetime.now(UTC) + CLOCKS_DIFFER else None


def cost(value: Any) -> Decimal | None:
    """USD."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not isfinite(value):
        return None
    return Decimal(str(value)) if 0 <= value <= HIGHEST_COST else None
