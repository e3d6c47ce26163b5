"""Every state a page can show: its word, icon and tone, the groups that code needs, and which action fits which state."""

from dataclasses import dataclass

from django.db.models import TextChoices


class RunStatus(TextChoices):
    PENDING = "pending", "Queued"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Verdict(TextChoices):
    OK = "ok", "OK"
    PARTIAL = "partial", "Partial"
    SUSPICIOUS = "suspicious", "Suspicious"


class JobStatus(TextChoices):
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    COMPLETED = "completed", "Completed"
    ARCHIVED = "archived", "Archived"


class Outcome(TextChoices):
    PARKED = "parked", "Waiting"
    HANDED_BACK = "handed_back", "Handed back"
    LOST = "lost", "Lost"
    FAILED = "failed", "Failed"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


LIVE = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.WAITING)
TERMINAL = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)


@dataclass(frozen=True)
class Badge:
    """`key` is the CSS class badge--<key>, `icon` a symbol of templates/_icons.html."""

    key: str
    word: str
    icon: str
    tone: str


QUEUED = Badge("queued", "Queued", "clock", "grey")
RETRY = Badge("retry", "Will retry", "retry", "amber")
RUNNING = Badge("running", "Running", "play", "blue")
WAITING = Badge("waiting", "Waiting", "hourglass", "blue")
COMPLETED = Badge("completed", "Completed", "check", "green")
SENT = Badge("completed", "Sent", "check", "green")
CHECK = Badge("check", "Check", "magnifier", "amber")
FAILED = Badge("failed", "Failed", "alert", "red")
CANCELLED = Badge("cancelled", "Cancelled", "slash", "grey")

FRESH = Badge("fresh", "Fresh", "check", "green")
LATE = Badge("late", "Late", "clock", "amber")
STALE = Badge("stale", "Stale", "alert", "red")
NEVER = Badge("never", "Never", "dash", "grey")
ON_TRACK = Badge("ontrack", "On track", "play", "amber")  # old, and a run that will end in time is under way

OUTCOMES = {
    Outcome.PARKED: Badge("waiting", "Waiting", "hourglass", "blue"),
    Outcome.HANDED_BACK: Badge("queued", "Handed back", "clock", "grey"),
    Outcome.LOST: Badge("retry", "Lost", "retry", "amber"),
    Outcome.FAILED: FAILED,
    Outcome.COMPLETED: COMPLETED,
    Outcome.CANCELLED: CANCELLED,
}


def run_badge(status: str, *, verdict: str = "", tries_failed: int = 0, waits_at: str = "") -> Badge:
    """The badge of a run. `waits_at`: the upstream's label, for "At …"."""
    match status:
        case RunStatus.PENDING:
            return RETRY if tries_failed else QUEUED
        case RunStatus.RUNNING:
            return RUNNING
        case RunStatus.WAITING:
            return Badge("waiting", f"At {waits_at}", "hourglass", "blue") if waits_at else WAITING
        case RunStatus.COMPLETED:
            return COMPLETED if verdict in ("", Verdict.OK) else CHECK
        case RunStatus.FAILED:
            return FAILED
        case _:
            return CANCELLED


# Which action fits which state: pages show only those, and pipeline/api refuses the others. `run_now` skips a retry's wait.
RUN_ACTIONS: dict[str, tuple[str, ...]] = {
    "cancel": LIVE,
    "retry": (RunStatus.FAILED, RunStatus.CANCELLED),
    "run_again": TERMINAL,
    "run_now": (RunStatus.PENDING,),
    "replay": TERMINAL,
    "accept": (RunStatus.COMPLETED,),
}
JOB_ACTIONS: dict[str, tuple[str, ...]] = {
    "run_now": (JobStatus.ACTIVE, JobStatus.PAUSED, JobStatus.COMPLETED),
    "pause": (JobStatus.ACTIVE,),
    "resume": (JobStatus.PAUSED,),
    "archive": (JobStatus.ACTIVE, JobStatus.PAUSED, JobStatus.COMPLETED),
}
