"""A run's log, made up from its plan. Each line begins with its time."""

import math

from .ids import iso
from .run import Run


def log_text(run: Run, now: float) -> str:
    life, stages = run.life, len(run.plan.log)
    lines = [(run.started, "ACTOR: Creating Docker container.")]
    if now >= life.works_from:
        lines.append((life.works_from, "ACTOR: Starting Docker container."))
        begun = min(stages, math.floor(life.done(now) * stages) + 1)
        for number in range(begun):
            moment = life.works_from + (life.work * number / stages if math.isfinite(life.work) else 0)
            lines.append((min(moment, now), f"INFO  {run.plan.log[number]}"))
    if (finished := run.finished(now)) is not None:
        lines.append((finished, f"ACTOR: {life.status(now)}. {run.message(now)}"))
    return "".join(f"{iso(moment)} {text}\n" for moment, text in lines)
