"""Compares our queue with stock django-q2, a tuned django-q2 and (on PostgreSQL) procrastinate, with two workers each.

    [DATABASE_URL=…] python -m benchmarks.queue [--runs 2000] [--samples 200] [--backlog 100000] [--history 1000000] …

Standard output is the table only. Progress and failures go to standard error.
"""

import argparse
import math
import os
import sys

from benchmarks.rows import MEASURES, ROWS, Row, cell
from benchmarks.scratch import database


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help="jobs per drain")
    parser.add_argument("--samples", type=int, default=200, help="single pick-ups per percentile")
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--idle", type=int, default=60, help="seconds")
    parser.add_argument("--patience", type=int, default=75, help="seconds to wait after a kill for what may never happen")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=MEASURES, metavar="LABEL", help=" ".join(MEASURES))
    options = parser.parse_args()
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.procrastinate_settings")  # to queue its jobs from here
    figures: dict[tuple[Row, str], float] = {}
    with database() as folder:
        from django.db import connection

        from benchmarks.systems import systems

        compared = systems(folder)
        try:
            measure(compared, options, figures)
        finally:  # Ctrl-C prints the figures so far
            print(table([system.label for system in compared], figures, connection.vendor, vars(options)))
    if any(math.isnan(value) for value in figures.values()):
        raise SystemExit("Not everything could be measured; see above.")


def measure(systems, options, figures):
    """Fill in the figures one measurement at a time, so that compared figures are close in time."""
    from benchmarks import measures
    from benchmarks.system import Lacks

    for name in options.only:
        for system in systems:
            print(f"{name}: {system.label}", file=sys.stderr, flush=True)
            try:
                found = getattr(measures, name)(system, options)
            except Lacks:
                continue
            except AssertionError as error:
                print(f"{error}\n{system.log.read_text()[-1500:]}", file=sys.stderr)
                found = {row: math.nan for row in ROWS if row.measure == name}
            figures |= {(row, system.label): value for row, value in found.items()}


def table(labels, figures, vendor, options):
    """The figures as a Markdown table, without rows that have no figure on this database."""
    lines = [[f"{vendor}, 2 workers", *labels, "target"], ["---"] * (len(labels) + 2)]
    for row in ROWS:
        values = [figures.get((row, label)) for label in labels]
        if any(value is not None for value in values):
            verdicts = [one.verdict(row, figures, options) for one in row.targets if one.only_on in ("", vendor)]
            lines.append([row.label.format(**options), *(cell(value) for value in values), "; ".join(verdicts)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


if __name__ == "__main__":
    main()
