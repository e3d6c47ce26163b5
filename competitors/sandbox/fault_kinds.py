"""All faults: name, type of value, default value, and effect."""

import re
from dataclasses import dataclass
from typing import Any

ENDINGS = {"SUCCEEDED", "FAILED", "ABORTED", "TIMED-OUT"}
FORMS = {
    "old_shape": r"camel|deep",
    "graph_dead_field": r"[a-z0-9_]+",
    "graph_insights_too_large": r"(days|rows):\d{1,9}(:(1|1487534|1504038))?",
    "graph_field_fails": r"[a-z0-9_]+:\d{1,5}(:\d{4}-\d\d-\d\d)?",
}


@dataclass(frozen=True)
class Kind:
    meaning: str
    default: Any = True  # its type is the type of the value: bool, int, float or str

    def read(self, name: str, value: Any) -> Any:
        """The value, converted to the fault's type; ``True`` means the default."""
        if value is True or (isinstance(value, str) and value.lower() == "true"):
            return self.default
        try:
            if isinstance(self.default, bool):
                raise ValueError
            if isinstance(self.default, str):
                return _checked(name, str(value))
            number = type(self.default)(value)
            if number < 0:
                raise ValueError
        except (TypeError, ValueError):
            wanted = {bool: "no value", int: "a whole number", float: "a number", str: "a word"}[type(self.default)]
            extra = f" ({self.meaning})" if isinstance(self.default, str) else ""
            raise ValueError(f"Fault {name!r} takes {wanted}, not {value!r}{extra}.") from None
        return number


def _checked(name: str, text: str) -> str:
    """The word, if the fault knows it: ``FAILED`` or ``FAILED:0.3`` for ``end_as``."""
    status, _, share = text.partition(":")
    if name == "end_as" and (status not in ENDINGS or not 0 <= float(share or 0.5) <= 1):
        raise ValueError
    if name in FORMS and not re.fullmatch(FORMS[name], text):
        raise ValueError
    return text


#: Applied at a start; they affect only that start.
AT_START = {
    "drop_start": Kind("the run is created, then the connection is cut without an answer"),
    "error_start": Kind("the run is created, then the answer is this status", 500),
    "slow_start": Kind("the run is created, then the answer takes this many seconds", 5.0),
    "refuse_start": Kind("the answer is this status and no run is created", 500),
    "no_memory": Kind("402 actor-memory-limit-exceeded; no run"),
    "no_slots": Kind("402 concurrent-runs-limit-exceeded; no run"),
    "no_money": Kind("402 not-enough-usage-to-run-paid-actor; no run"),
    "usage_limit": Kind("403 platform-feature-disabled, 'Monthly usage hard limit exceeded'; no run"),
}

#: Applied at a start; the new run keeps them for good.
OF_A_RUN = {
    "end_as": Kind("the run ends with this status and a share of its items: STATUS or STATUS:0.3 (default share: 0.5)", "FAILED"),
    "never_ends": Kind("the run stays RUNNING past its end and its time-out, until it is aborted"),
    "never_starts": Kind("the run stays READY until it is aborted"),
    "odd_status": Kind("while RUNNING, the run shows this undocumented status", "PAUSED"),
    "slow_abort": Kind("an aborted run stays ABORTING for this many seconds", 5.0),
    "no_items": Kind("the run ends SUCCEEDED with an empty dataset"),
    "only_errors": Kind("the run ends SUCCEEDED and every item is an error item"),
    "plan_limit": Kind("the run ends SUCCEEDED with this share of its items; only its status message names the plan", 0.5),
    "repeat_items": Kind("this share of the items comes a second time, at the end", 0.3),
    "hide_items": Kind("this share of the items is missing, evenly spread", 0.5),
    "ads_not_found": Kind("the ads actor finds no ads: ADS_NOT_FOUND for each URL"),
    "old_shape": Kind("ads are in an older shape: camel (only outside, as in 2024) or deep (everywhere)", "camel"),
    "malformed_items": Kind("the first so many ads, posts or comments have no usable id", 1),
    "scores_missing": Kind("this share of the posts has no score and no number of comments", 1.0),
    "errors_with_ids": Kind("the first so many ads that have an id carry an error too", 1),
    "late_costs": Kind("costs stay preliminary for this many seconds more after the end", 10.0),
    "no_costs": Kind("usageTotalUsd of the run object stays null"),
    "strip_user_agent": Kind("meta.userAgent is missing"),
    "lag_list": Kind("run lists leave the run out for this many seconds after its start", 5.0),
    "lag_run": Kind("reads of the run answer 404 for this many seconds after its start", 2.0),
    "lag_total": Kind("item totals are this many seconds old; the rows are current", 5.0),
    "endless_items": Kind("the dataset's rows repeat for ever"),
    "lag_items": Kind("totals and rows of the dataset are this many seconds old", 5.0),
}

#: Applied when a run or a dataset is read; the effect is permanent.
AT_READ = {
    "vanish_run": Kind("the next run that is read disappears: 404 record-not-found, in no list; its dataset stays"),
    "pricing_model": Kind("the actor's pricingInfos are of this kind, which has no price per item", "FREE"),
    "actor_notice": Kind("the actor is deprecated and carries this notice", "UNDER_MAINTENANCE"),
    "dataset_gone": Kind("the next dataset that is read disappears: 404 record-not-found"),
}

#: Applied to requests for pictures and videos.
OF_MEDIA = {
    "media_gone": Kind("the answer is this status: 404 or 410", 404),
    "media_expired": Kind("403, as if the link had expired"),
    "media_error": Kind("the answer is this status", 503),
    "media_throttled": Kind("429; a number above 0 goes into Retry-After, 0 leaves the header out", 1),
    "media_slow": Kind("the body trickles in at this many bytes a second", 1000),
    "media_cut": Kind("the connection is cut after this share of the body", 0.5),
    "media_no_range": Kind("Range is ignored: 200 and the whole body"),
    "media_no_length": Kind("no Content-Length"),
    "media_huge": Kind("the body has this many bytes", 600_000_000),
    "media_redirect": Kind("302 to this address", "http://169.254.169.254/latest/meta-data/"),
    "media_html": Kind("200 and an HTML page of this Content-Type", "text/html"),
    "media_svg": Kind("200 and an SVG of this Content-Type, with a script in it", "image/svg+xml"),
    "media_wrong_type": Kind("200 and a PDF of this Content-Type", "application/pdf"),
    "media_bomb": Kind("200 and a small PNG that has this many pixels on each side", 30_000),
}

#: Applied to requests to the Graph API.
OF_GRAPH = {
    "graph_token_refused": Kind("401, code 190 with this subcode: 463 expired, 459 checkpoint, 460 password changed", 463),
    "graph_throttled": Kind("400 or 403 with this code: 4, 17, 32, 613, 80000 or 80004, and full usage headers", 17),
    "graph_blocked": Kind("403, code 368: the account or user is blocked"),
    "graph_no_permission": Kind("403, code 200"),
    "graph_unavailable": Kind("503, code 2, which passes"),
    "graph_too_large": Kind("500, code 1, reduce the amount of data: a page or ids of more rows than this", 25),
    "graph_broken_creative": Kind("500, code 1: any answer with the creative of this ad of an account, counted from 0", 3),
    "graph_deleted_reel": Kind("400, code 100, subcode 33: the same", 3),
    "graph_no_source": Kind("a video has no source"),
    "graph_dead_field": Kind(
        "400, code 100: this field or breakdown of insights is unknown to the version", "video_p95_watched_actions"
    ),
    "graph_insights_too_large": Kind(
        "insights of more than this at once are refused: days:7 or rows:500, and :1487534, :1504038 or :1 for the code", "days:7"
    ),
    "graph_field_fails": Kind(
        "any answer with this field of this ad fails for ever: field:number or field:number:2026-11-20", "reach:3"
    ),
    "graph_report_failed": Kind("a report fails at this percentage", 100),
    "graph_report_gone_once": Kind("400, code 100, subcode 33: a report that exists"),
    "graph_usage": Kind("the usage headers say that this percentage is used", 80),
}

#: Applied to every request except control calls.
ANY_REQUEST = {
    "slow": Kind("every answer takes this many seconds longer", 1.0),
    "drop": Kind("the connection is cut before the request is handled"),
    "drop_answer": Kind("the request is handled, then the connection is cut"),
    "drop_percent": Kind("this percentage of requests is cut, half of them after they were handled", 10.0),
    "server_error": Kind("the answer is this status; the request is not handled", 500),
    "error_percent": Kind("this percentage gets 500, 502 (HTML) or 503, half of them after they were handled", 10.0),
    "html_error": Kind("the answer is this status with an HTML page, like a proxy's; the request is not handled", 502),
    "broken_json": Kind("the request is handled, but its JSON answer is truncated"),
    "bad_token": Kind("401 user-or-token-not-found"),
    "rate_limit": Kind("429; a number above 0 goes into Retry-After, 0 leaves the header out", 0),
}

KINDS: dict[str, Kind] = {**AT_START, **OF_A_RUN, **AT_READ, **OF_MEDIA, **OF_GRAPH, **ANY_REQUEST}
