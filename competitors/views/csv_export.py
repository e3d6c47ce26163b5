"""Rows as a CSV file that is safe to open in a spreadsheet, sent while they are read."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse

from pipeline.words import stamp
from pipeline.words.foreign import harmless

CHUNK = 500
BYTE_ORDER_MARK = "\ufeff"  # without it Excel does not read UTF-8
# What a spreadsheet takes for = + - or @: the signs in all their widths and heights.
SIGNS = "=+\\-@＝＋－＠﬩﹢﹣﹦﹫⁺⁻⁼₊₋₌⩵⩶−"
# What may stand before a sign without making the cell text: blanks, quotation marks, and what nobody sees. Tab and newline
# are not among them: they are ends of cells themselves. Control and direction characters are escaped before.
_SKIPPED = (
    r"[^\S\t\n]|[\"＂\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0]"
    r"|[\U000e0000-\U000e0fff]"
)
# A spreadsheet that separates cells by other signs than commas splits inside the quoted text of a row.
_FORMULA = re.compile(rf"(?:\A|(?<=[;|\t\n]))(?=(?:{_SKIPPED})*[{SIGNS}])|\A(?=[\t\n])")


class _Echo:
    """A file for csv.writer that returns each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: Any) -> Any:
    """For a cell that a spreadsheet must not run: an apostrophe before whatever looks like a formula makes it text. Control and
    bidirectional characters are escaped. None becomes empty; numbers and times stay as they are."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _FORMULA.sub("'", harmless(value, lines=True))
    if isinstance(value, datetime):
        return stamp(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def csv_response(filename: str, header: list[str], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """`filename` must be plain ASCII. Memory does not grow with the number of rows."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield BYTE_ORDER_MARK + writer.writerow([safe_cell(name) for name in header])  # it returns what write() returned
        for row in rows:
            yield writer.writerow([safe_cell(value) for value in row])

    return StreamingHttpResponse(
        lines(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{filename}"'}
    )
