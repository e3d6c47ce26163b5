"""An asynchronous report: a question that is answered later."""

from dataclasses import dataclass
from typing import Any

from .insights import Question
from .performance import Moment


@dataclass
class Report:
    id: str
    question: Question
    moment: Moment  # when it was asked for
    started: float
    ends: float
    fails_at: int | None = None  # percent
    subcode: int | None = None  # of its failure

    def is_complete(self, now: float) -> bool:
        return self.fails_at is None and now >= self.ends

    def finish(self, now: float) -> None:
        self.ends = min(self.ends, now)

    def node(self, now: float) -> dict[str, Any]:
        share = min((now - self.started) / (self.ends - self.started), 1) if self.ends > self.started else 1
        percent = 100 if share > 0.9 else int(share * 100)
        words = "Job Running"  # even at 100 percent, until its rows are there
        failed = self.fails_at is not None and share * 100 >= self.fails_at
        if failed:
            words, percent = "Job Failed", self.fails_at or 0
        elif share >= 1:
            words = "Job Completed"
        elif share < 0.2:
            words, percent = ("Job Not Started" if share < 0.1 else "Job Started"), 0
        return {
            "id": self.id,
            "account_id": self.question.account,
            "async_status": words,
            "async_percent_completion": percent,
            "is_running": words in ("Job Started", "Job Running"),
            "date_start": self.question.since.isoformat(),
            "date_stop": self.question.until.isoformat(),
            "error_code": (1 if self.subcode else 2) if failed else None,
            "error_subcode": self.subcode if failed else None,
            "error_message": "Ein unbekannter Fehler ist aufgetreten" if failed else None,
        }
