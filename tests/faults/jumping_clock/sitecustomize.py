"""Under libfaketime with a real monotonic clock, Python's time.sleep fails (EINVAL). select works."""

import select
import time
from typing import Any


def sleep(seconds: Any) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep
