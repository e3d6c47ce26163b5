"""Who may call the Graph API: versions, tokens, limits, and how refusals look."""

import json
import re

from ..account import Account
from ..errors import ApiError
from ..graph import VERSIONS, errors
from ..http import Answer, Request, Route, as_json

EXPIRED_TOKEN = "expired-token"  # noqa: S105  a made-up token that is always expired


def check(account: Account, request: Request, _route: Route) -> None:
    """Refuse a version that is dead, a token that is missing or wrong, and what a fault refuses."""
    version = request.captured["version"]
    if version not in VERSIONS:
        known = re.fullmatch(r"v\d+\.\d+", version)
        raise errors.version_dead(VERSIONS[-1]) if known else errors.wrong("Unknown path components")
    if not (token := token_of(request)):
        raise errors.no_token()
    if not is_valid(account, token):
        raise errors.token_refused(463) if token == EXPIRED_TOKEN else errors.token_invalid()
    faults, path = account.faults, request.path
    if (subcode := faults.take("graph_token_refused", path)) is not None:
        raise errors.token_refused(subcode)
    if (code := faults.take("graph_throttled", path)) is not None:
        raise errors.throttled(code)
    for fault, make in (
        ("graph_blocked", errors.blocked),
        ("graph_no_permission", errors.no_permission),
        ("graph_unavailable", errors.unavailable),
    ):
        if faults.take(fault, path) is not None:
            raise make()


def as_error(error: ApiError) -> Answer:
    shown = errors.of(error)
    headers = error.headers
    if shown.code in (4, 17, 32, 613, 80000, 80004):
        use = "ads_insights" if shown.code == 80000 else "ads_management"
        headers = headers | usage_headers(100, minutes=5, use=use)
    return as_json(shown.envelope, shown.status, headers)


def token_of(request: Request) -> str:
    return request.bearer or request.query.get("access_token", "")


def is_valid(account: Account, token: str) -> bool:
    config = account.config
    return token not in config.bad_tokens and token != EXPIRED_TOKEN and config.token in (None, token)


def use_of(request: Request) -> str:
    """The business use case that a request counts for."""
    return "ads_insights" if request.path.endswith("/insights") else "ads_management"


def usage_headers(percent: int, minutes: int, use: str) -> dict[str, str]:
    """The headers that say how much of the limits is used. They come only after many calls, or here by a fault."""
    spent = {"call_count": percent, "total_cputime": percent, "total_time": percent}
    case = spent | {"type": use, "estimated_time_to_regain_access": minutes}
    return {
        "X-App-Usage": json.dumps(spent),
        "X-Ad-Account-Usage": json.dumps({"acc_id_util_pct": percent, "reset_time_duration": minutes * 60}),
        "X-Business-Use-Case-Usage": json.dumps({"1000000000000003": [case]}),
        "x-fb-ads-insights-throttle": json.dumps({"app_id_util_pct": percent, "acc_id_util_pct": percent}),
    }
