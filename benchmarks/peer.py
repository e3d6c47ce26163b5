"""What procrastinate does, in a process of its own with its own settings: python -m benchmarks.peer pickup|drain N"""

import sys
import time

import django

django.setup()

from benchmarks.marks.tasks import mark  # noqa: E402  Django must be set up first


def main():
    kind, count = sys.argv[1], int(sys.argv[2])
    for number in range(count):
        mark.defer(name=f"{kind}-{number}")
        print(f"{kind}-{number} {time.time_ns()}", flush=True)
        if kind == "pickup":
            time.sleep(0.05 + number % 7 / 100)


if __name__ == "__main__":
    main()
