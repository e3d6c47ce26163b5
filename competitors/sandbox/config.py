"""The sandbox's settings, and which of them can change while it runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

#: The real actor takes about this long for one query; ``speed`` divides it.
SECONDS_PER_STAGE = 20.0


@dataclass
class Config:
    seed: int = 1
    data: Path | None = None  # folder with amazon_reviews*.jsonl, or one such file
    run_seconds: float | None = 20.0  # how long every run takes; None: by its number of queries and ``speed``
    speed: float = 1.0  # how many times faster than the real actor; only without run_seconds
    settle_seconds: float = 0.0  # a finished run shows preliminary costs for this long
    abort_seconds: float | None = None  # ABORTING and TIMING-OUT last this long; None: a fiftieth of the run, at most 1 s
    price_per_1000_usd: float | None = None  # None: each actor's own price
    next_price_per_1000_usd: float | None = None  # an announced price
    next_price_at: float = 0.0  # epoch seconds from which it is in force
    new_ads_per_day: float = 3  # of each source in the ad library, for each made-up day
    gone_ads_per_day: float = 2
    days_per_ads_run: float = 0  # made-up days that pass in the ad library between two runs of the same URL
    media_seconds: float = 3 * 86_400.0  # links of media expire so long after they were made
    picture_bytes: float = 0  # pictures are padded to this size; 0: they are as big as they come
    video_bytes: float = 200_000  # at least; their frames need about 90,000
    ads_per_account: float = 60  # of each ad account of the Graph API; ``new_ads_per_day`` come on top
    token_seconds: float = 60 * 86_400.0  # debug_token says that tokens expire so much later; 0: never
    report_seconds: float = 4.0  # that a report of insights takes
    memory_limit_mbytes: int = 65_536  # of the whole account, over all live runs
    concurrent_runs_limit: int = 32
    monthly_limit_usd: float = 500.0
    token: str | None = None  # the only accepted token; None: any except the bad ones
    bad_tokens: frozenset[str] = frozenset({"bad-token"})
    max_wait_seconds: float = 60.0  # the server's cap on waitForFinish
    clock: Callable[[], float] = field(default=time.time, repr=False)  # epoch seconds

    def seconds_for(self, stages: int) -> float:
        """How long a run of that many stages (queries) takes."""
        if self.run_seconds is not None:
            return self.run_seconds
        return max(1, stages) * SECONDS_PER_STAGE / self.speed

    def price_of(self, own_per_1000: float, now: float) -> float:
        """USD of one item; `own_per_1000` is the actor's own price."""
        if self.next_price_per_1000_usd is not None and now >= self.next_price_at:
            return self.next_price_per_1000_usd / 1000
        return (own_per_1000 if self.price_per_1000_usd is None else self.price_per_1000_usd) / 1000

    def closing_seconds(self, work_seconds: float) -> float:
        """How long a run with this much work stays ABORTING or TIMING-OUT."""
        return self.abort_seconds if self.abort_seconds is not None else min(1.0, work_seconds / 50)

    def change(self, changes: dict[str, Any]) -> None:
        """Change settings while the sandbox runs. ValueError names a wrong setting or value."""
        for name, value in changes.items():
            if name not in CHANGEABLE:
                raise ValueError(f"Unknown setting {name!r}. Known: {', '.join(sorted(CHANGEABLE))}.")
            may_be_null = name in {"run_seconds", "abort_seconds", "price_per_1000_usd", "next_price_per_1000_usd"}
            if not (value is None and may_be_null) and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise ValueError(f"Setting {name!r} must be a number, not {value!r}.")
            if value is not None and (value < 0 or (name == "speed" and value == 0)):
                raise ValueError(f"Setting {name!r} must be a positive number, not {value!r}.")
        for name, value in changes.items():
            setattr(self, name, value)

    def shown(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in sorted(CHANGEABLE)}


CHANGEABLE = {f.name for f in fields(Config)} - {"seed", "data", "token", "bad_tokens", "clock"}
