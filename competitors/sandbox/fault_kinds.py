"""The list of faults: name, kind of value, value when none is given, and what happens."""

from dataclasses import dataclass
from typing import Any

ENDINGS = {"SUCCEEDED", "FAILED", "ABORTED", "TIMED-OUT"}


@dataclass(frozen=True)
class Kind:
    meaning: str
    default: Any = True  # also says the type of the value: bool, int, float or str

    def read(self, name: str, value: Any) -> Any:
        """The value in the kind's own type; ``True`` stands for the default."""
        if value is True or (isinstance(value, str) and value.lower() == "true"):
            return self.default
        try:
            if isinstance(self.default, bool):
                raise ValueError
            if isinstance(self.default, str):
                return _ending(str(value)) if name == "end_as" else str(value)
            number = type(self.default)(value)
            if number < 0:
                raise ValueError
        except (TypeError, ValueError):
            wanted = {bool: "no value", int: "a whole number", float: "a number", str: "a word"}[type(self.default)]
            extra = f" ({self.meaning})" if isinstance(self.default, str) else ""
            raise ValueError(f"Fault {name!r} takes {wanted}, not {value!r}{extra}.") from None
        return number


def _ending(text: str) -> str:
    """``FAILED`` or ``FAILED:0.3``, checked."""
    status, _, share = text.partition(":")
    if status not in ENDINGS or not 0 <= float(share or 0.5) <= 1:
        raise ValueError
    return text


#: Asked at a start; the run that is made (or not) is all that they concern.
AT_START = {
    "drop_start": Kind("the run is created, then the connection is cut without an answer"),
    "error_start": Kind("the run is created, then this status is answered", 500),
    "slow_start": Kind("the run is created, then the answer takes this many seconds", 5.0),
    "refuse_start": Kind("this status is answered and no run is created", 500),
    "no_memory": Kind("402 actor-memory-limit-exceeded; no run"),
    "no_slots": Kind("402 concurrent-runs-limit-exceeded; no run"),
    "no_money": Kind("402 not-enough-usage-to-run-paid-actor; no run"),
    "usage_limit": Kind("403 platform-feature-disabled, 'Monthly usage hard limit exceeded'; no run"),
}

#: Asked at a start, and kept by the run that is made for all its life.
OF_A_RUN = {
    "end_as": Kind("the run ends so, with a share of its items: STATUS or STATUS:0.3 (half, when not said)", "FAILED"),
    "never_ends": Kind("the run stays RUNNING past its end and its time-out, until it is aborted"),
    "never_starts": Kind("the run stays READY until it is aborted"),
    "odd_status": Kind("while RUNNING the run shows this status, which no document names", "PAUSED"),
    "slow_abort": Kind("an aborted run stays ABORTING for this many seconds", 5.0),
    "no_items": Kind("the run ends SUCCEEDED with an empty dataset"),
    "only_errors": Kind("the run ends SUCCEEDED and every item is an error item"),
    "late_costs": Kind("preliminary costs for this many seconds after the end", 10.0),
    "no_costs": Kind("usageTotalUsd of the run object is null for ever"),
    "strip_user_agent": Kind("meta.userAgent is missing"),
    "lag_list": Kind("run lists leave the run out for this many seconds after its start", 5.0),
    "lag_run": Kind("reads of the run answer 404 for this many seconds after its start", 2.0),
    "lag_total": Kind("item totals are this many seconds old; the rows are there", 5.0),
    "lag_items": Kind("totals and rows of the dataset are this many seconds old", 5.0),
}

#: Asked when a run or a dataset is read; the one that is hit stays so for good.
AT_READ = {
    "vanish_run": Kind("the run that is read next is gone: 404 record-not-found, in no list; its dataset stays"),
    "dataset_gone": Kind("the dataset that is read next is gone: 404 record-not-found"),
}

#: Asked at every request, control calls apart.
ANY_REQUEST = {
    "slow": Kind("every answer takes this many seconds longer", 1.0),
    "drop": Kind("the connection is cut before anything is done"),
    "drop_answer": Kind("the request is carried out, then the connection is cut"),
    "drop_percent": Kind("this percentage of requests is cut, half of them after they were carried out", 10.0),
    "server_error": Kind("this status is answered, nothing is done", 500),
    "error_percent": Kind("this percentage gets 500, 502 (HTML) or 503, half of them after being carried out", 10.0),
    "html_error": Kind("this status with an HTML page, as from a proxy; nothing is done", 502),
    "broken_json": Kind("the request is carried out, the JSON answered is cut short"),
    "bad_token": Kind("401 user-or-token-not-found"),
    "rate_limit": Kind("429; a number above 0 goes into Retry-After, 0 leaves the header out", 0),
}

KINDS: dict[str, Kind] = {**AT_START, **OF_A_RUN, **AT_READ, **ANY_REQUEST}
