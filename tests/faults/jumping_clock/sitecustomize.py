"""Python's time.sleep fails (EINVAL) under libfaketime where that leaves the monotonic clock alone; select does not."""

import select
import time
from typing import Any


def sleep(seconds: Any) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep
