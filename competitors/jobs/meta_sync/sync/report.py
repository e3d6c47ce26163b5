"""The figures of a window: asked for at once, or, if it is long, by reports, for which no worker waits."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from competitors.upstream.graph import SYNC_DAYS, AdAccountReader, InsightsPart, Lost, ReportStatus
from pipeline.contract import Context, TransientError
from pipeline.models import RunLog

from .window import OF_A_REPORT, Window

PAUSES = (5, 10, 20, 30)  # seconds between looks at a report; the last one again and again
MOST_LOOKS = 120  # then it counts as failed


def read_days(
    ctx: Context, reader: AdAccountReader, window: Window, breakdowns: Sequence[str] = ()
) -> Iterator[tuple[Window, Iterator[InsightsPart]]]:
    """The rows of the account's ads, piece by piece: no row is in two of them."""
    if window.days <= SYNC_DAYS:
        yield window, reader.insights(window.since, window.until, breakdowns=breakdowns)
        return
    for piece in window.pieces(OF_A_REPORT):
        yield piece, _reported(ctx, reader, piece)


def _reported(ctx: Context, reader: AdAccountReader, piece: Window) -> Iterator[InsightsPart]:
    """By a report; at once, in small parts, if that fails."""
    started: dict[str, Any] = ctx.step(f"report {reader.account} {piece}", lambda: _start(reader, piece))
    if reason := _wait(ctx, reader, started["id"]):
        ctx.log(f"The report of {piece} did not work, so it is read in small parts. {reason}", RunLog.Level.WARNING)
        yield from reader.insights(piece.since, piece.until)
        return
    yield InsightsPart([], [Lost(name, why) for name, why in started["lost"]])
    for page in reader.report_pages(started["id"]):
        yield InsightsPart(page.items)


def _start(reader: AdAccountReader, piece: Window) -> dict[str, Any]:
    report = reader.start_report(piece.since, piece.until)
    return {"id": report.report_id, "lost": [(one.name, one.reason) for one in report.lost]}


def _wait(ctx: Context, reader: AdAccountReader, report_id: str) -> str:
    """Until it is done. Returns why it has no rows, '' if it has."""
    for look in range(MOST_LOOKS):
        try:
            state = reader.report_state(report_id)
        except TransientError as error:  # Meta does not find the report, though asked several times
            return str(error)
        if state.status == ReportStatus.DONE:
            return ""
        if state.status == ReportStatus.FAILED:
            return state.reason
        ctx.progress(state.percent, 100, "% of Meta's report")
        ctx.sleep(timedelta(seconds=PAUSES[min(look, len(PAUSES) - 1)]))
    return "It was not done in time."
