"""Compares our queue with stock django-q2, a tuned django-q2 and, on PostgreSQL, procrastinate, with two workers each.

    [DATABASE_URL=…] python -m benchmarks.queue [--rounds 3] [--runs 1000] [--samples 30] [--history 1000000] …

django-ox and, on PostgreSQL, DBOS join if BENCH_OX_PYTHON and BENCH_DBOS_PYTHON name a Python that has them. Standard output is
the table only. Progress and failures go to standard error.
"""

import argparse
import math
import os
import sys
import time

from benchmarks.rows import MEASURES, ROWS, Figures, spread
from benchmarks.scratch import database


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of all but waits of a minute and fills of a million")
    parser.add_argument("--runs", type=int, default=1000, help="jobs per drain")
    parser.add_argument("--samples", type=int, default=30, help="single pick-ups of each round")
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--history", type=int, default=1_000_000, help="runs, each with an attempt and a log line")
    parser.add_argument("--pending", type=int, default=1_000_000, help="for the cost of a claim")
    parser.add_argument("--idle", type=int, default=20, help="seconds; of the others half as long")
    parser.add_argument("--patience", type=int, default=65, help="seconds to wait after a kill for what may never happen")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=MEASURES, metavar="NAME", help=" ".join(MEASURES))
    options = parser.parse_args()
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.procrastinate_settings")  # to queue its jobs from here
    figures: Figures = {}
    with database() as folder:
        from django.db import connection

        from benchmarks.systems import systems
        from controlplane.garbage import keep_what_is_loaded

        compared = systems(folder)
        keep_what_is_loaded()  # jobs are queued by the web process
        try:
            measure(compared, options, figures)
        finally:  # Ctrl-C prints the figures so far
            print(table(compared, figures, connection.vendor, vars(options)), flush=True)
            for system in compared:
                system.close()
    if any(math.isnan(value) for values in figures.values() for value in values):
        raise SystemExit("Not everything could be measured; see above.")


def measure(systems, options, figures):
    """Fill in the figures, one measurement after the other."""
    from benchmarks import measures

    for name in options.only:
        began = time.monotonic()
        failed = set()
        for system, found in getattr(measures, name)(systems, options):
            print(f"{name}: {system.label}: {len(found)} figures", file=sys.stderr, flush=True)
            for row, value in found.items():
                figures.setdefault((row, system.label), []).append(value)
            if not found:
                failed.add(system.label)
        for label in failed:
            for row in ROWS:
                if row.measure == name:
                    figures.setdefault((row, label), [math.nan])
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def table(systems, figures, vendor, options):
    """The figures as a Markdown table, without rows that have no figure on this database, and what was compared."""
    from benchmarks.scratch import server

    lines = [[f"{vendor}, 2 workers", *(system.label for system in systems), "target"], ["---"] * (len(systems) + 2)]
    for row in ROWS:
        values = [figures.get((row, system.label)) for system in systems]
        if any(value is not None for value in values):
            verdicts = [one.verdict(row, figures, options) for one in row.targets if one.only_on in ("", vendor)]
            lines.append([row.label.format(**options), *(spread(value) for value in values), "; ".join(verdicts)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ["| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in lines]
    compared = [f"- {system.label} {system.version}".rstrip() + f": {system.setup}." for system in systems]
    return "\n".join([*rows, "", f"{server()}. {options['rounds']} rounds: median (least–greatest).", *compared])


if __name__ == "__main__":
    main()
