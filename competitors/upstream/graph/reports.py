"""Reports of insights that Meta makes in its own time. They are free; who waits for one need not hold a worker."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from pipeline.contract.errors import TransientError

from .http import Graph, Page, every_page, page_of
from .refusals import AskedTooMuch, ObjectGone, code_of

PAGE = 500  # rows of one request
SMALLER = (PAGE, 50, 5)  # if Meta refuses to answer so much
GONE_PAUSES = (2, 5, 10)  # seconds: Meta says now and then that it has no such report, and has it a moment later
FAILED = ("Job Failed", "Job Skipped")


class ReportStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class ReportState:
    status: ReportStatus
    percent: int = 0
    reason: str = ""  # why it failed, in words


def read_state(graph: Graph, report_id: str) -> ReportState:
    answer = _despite_gone(graph, report_id, partial(graph.get, report_id, f"report {report_id}"))
    words, percent = answer.get("async_status"), min(code_of(answer.get("async_percent_completion")), 100)
    if words in FAILED:
        codes = " and ".join(str(code) for name in ("error_code", "error_subcode") if (code := code_of(answer.get(name))))
        reason = f"Meta's report failed at {percent} %{f' (code {codes})' if codes else ''}."
        return ReportState(ReportStatus.FAILED, percent, reason)
    done = words == "Job Completed" and percent == 100  # either alone comes before its rows are there
    return ReportState(ReportStatus.DONE if done else ReportStatus.RUNNING, percent)


def read_pages(graph: Graph, report_id: str) -> Iterator[Page]:
    """The rows of a report that is done."""
    return every_page(partial(_read_page, graph, report_id), f"report {report_id}")


def _read_page(graph: Graph, report_id: str, after: str) -> Page:
    what = f"report {report_id}"
    for size in SMALLER:
        asked: dict[str, str | int] = {"limit": size} | ({"after": after} if after else {})
        try:
            answer = _despite_gone(graph, report_id, partial(graph.get, f"{report_id}/insights", what, **asked))
        except AskedTooMuch:
            if size == SMALLER[-1]:
                raise
        else:
            return page_of(answer, what)
    raise AssertionError  # the last size answers or raises


def _despite_gone(graph: Graph, report_id: str, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    for pause in (*GONE_PAUSES, None):
        try:
            return call()
        except ObjectGone as error:
            if pause is None:
                raise TransientError(f"Meta does not find its own report {report_id}. Ask for another one.") from error
        graph.sleep(pause)
    raise AssertionError
