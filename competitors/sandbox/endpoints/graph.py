"""The Graph API's endpoints: an ad account, its ads, single nodes, several at once, and tokens."""

import base64
import json
import re
from typing import Any
from urllib.parse import urlencode

from ..account import Account
from ..graph import errors
from ..graph.fields import Fields, parse_fields, project
from ..graph.nodes import (
    HIDDEN,
    STATUSES,
    Node,
    World,
    account_node,
    ad_node,
    ads_in,
    basics,
    creative_node,
    id_of,
    kind_of,
    post_node,
    read_id,
    video_node,
)
from ..http import Answer, Request, as_json
from ..media.links import Links
from .graph_access import EXPIRED_TOKEN, is_valid, token_of, usage_headers, use_of

_MOST_IDS = 50


def node(account: Account, request: Request) -> Answer:
    if request.captured["id"] in account.reports:
        return answer(account, request, _report(account, request))
    shown = _shown(account, request, request.captured["id"], _fields(request))
    return answer(account, request, shown)


def several(account: Account, request: Request) -> Answer:
    """``?ids=a,b``: one that does not exist fails all."""
    ids = request.words("ids")
    if not ids:
        raise errors.wrong("The parameter ids is required")
    if len(ids) > _MOST_IDS:
        raise errors.wrong(f"Too many IDs. Maximum: {_MOST_IDS}. Provided: {len(ids)}.")
    _refuse_too_many(account, request, len(ids))
    fields = _fields(request)
    return answer(account, request, {one: _shown(account, request, one, fields) for one in ids})


def ads(account: Account, request: Request) -> Answer:
    """One page of the account's ads, in a fixed order. ``paging.next`` has the token in clear, as Meta's has."""
    number = account_number(request.captured["id"])
    if number is None:
        raise errors.wrong("Tried accessing nonexisting field (ads)")
    world = world_of(account, request)
    wanted = _statuses(request)
    found = [n for n in range(ads_in(number, world)) if basics(world.seed, number, n).status in wanted]
    limit = request.integer("limit", 25)
    _refuse_too_many(account, request, limit)
    start = _offset(request.query.get("after"))
    page = found[start : start + limit]
    fields = _fields(request)
    rows = [_shown(account, request, id_of("ad", number, n), fields) for n in page]
    if not page:
        return answer(account, request, {"data": []})
    paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(start + len(page))}}
    if start + len(page) < len(found):
        query = request.query | {"after": paging["cursors"]["after"], "access_token": token_of(request)}
        paging["next"] = f"{request.base_url}{request.path}?{urlencode(query)}"
    return answer(account, request, {"data": rows, "paging": paging})


def debug_token(account: Account, request: Request) -> Answer:
    given = request.query.get("input_token", "")
    if not given:
        raise errors.wrong("The parameter input_token is required")
    valid, now = is_valid(account, given), int(account.now())
    ends = now - 3600 if given == EXPIRED_TOKEN else now + int(account.config.token_seconds)
    shown: dict[str, Any] = {
        "app_id": "1000000000000001",
        "type": "USER",
        "application": "Sandbox",
        "expires_at": ends if account.config.token_seconds or not valid else 0,  # 0: never
        "data_access_expires_at": now + 90 * 86_400,
        "is_valid": valid,
        "scopes": ["ads_read", "public_profile"] if valid else [],
        "user_id": "1000000000000002",
    }
    if not valid:
        shown["error"] = {"code": 190, "message": "The token is not valid."}
        if given == EXPIRED_TOKEN:
            shown["error"] |= {"message": "Error validating access token: Session has expired.", "subcode": 463}
    return answer(account, request, {"data": shown})


def _report(account: Account, request: Request) -> Node:
    if account.faults.take("graph_report_gone_once", request.path) is not None:
        raise errors.gone(request.captured["id"])
    shown = account.reports[request.captured["id"]].node(account.now())
    return project("AdReportRun", shown, _fields(request) or {name: {} for name in shown})


def _shown(account: Account, request: Request, node_id: str, fields: Fields) -> Node:
    """The chosen fields of any node. Raises the error of a broken creative, if that is asked for."""
    world = world_of(account, request)
    if (number := account_number(node_id)) is not None:
        return project("AdAccount", account_node(number, world), fields)
    found = read_id(node_id, world)
    if found is None:
        raise errors.gone(node_id)
    if found.kind in ("upload", "reel") and not _has_video(found.kind, kind_of(found.account, found.number, world.seed)):
        raise errors.gone(node_id)
    if found.kind == "ad":
        if "creative" in fields:
            _refuse_broken(account, request, found.number)
        ad = ad_node(found.account, found.number, world)
        ad["creative"] = creative_node(found.account, found.number, world, _thumbnail(request))
        return project("Ad", ad, fields)
    if found.kind == "creative":
        _refuse_broken(account, request, found.number)
        return project("AdCreative", creative_node(found.account, found.number, world, _thumbnail(request)), fields)
    if found.kind == "post":
        return project("Post", post_node(found, world), fields)
    denied = "source" in fields and account.faults.take("graph_no_source", request.path) is not None
    return project("Video", video_node(found, world, denied), fields)


def _has_video(id_kind: str, ad_kind: str) -> bool:
    """An ad that was made from an upload has both that and the reel that was published from it."""
    return ad_kind == "video" or (id_kind == "reel" and ad_kind == "reel")


def world_of(account: Account, request: Request) -> World:
    config = account.config
    return World(
        seed=config.seed,
        ads=int(config.ads_per_account + len(account.world.days) * config.new_ads_per_day),
        links=Links(request.base_url, int(account.now() + config.media_seconds)),
    )


def account_number(node_id: str) -> str | None:
    """The digits of ``act_…``. Raises the error of an account that gives no permission."""
    found = re.fullmatch(r"act_(\d{1,20})", node_id)
    if found and found[1].endswith("0000"):
        raise errors.no_permission()
    return found[1] if found else None


def _fields(request: Request) -> Fields:
    return parse_fields(request.query.get("fields", ""))


def _thumbnail(request: Request) -> int:
    return request.integer("thumbnail_width", 64)


def _statuses(request: Request) -> list[str]:
    text = request.query.get("effective_status")
    if text is None:
        return [status for status in STATUSES if status not in HIDDEN]
    try:
        wanted = json.loads(text)
    except ValueError:
        wanted = None
    if not isinstance(wanted, list) or not all(status in STATUSES for status in wanted):
        raise errors.wrong("Param effective_status must be an array of known statuses")
    return wanted


def _refuse_too_many(account: Account, request: Request, rows: int) -> None:
    most = account.faults.peek("graph_too_large", request.path)
    if most is not None and rows > most:
        account.faults.take("graph_too_large", request.path)
        raise errors.too_large()


def _refuse_broken(account: Account, request: Request, number: int) -> None:
    """Not used up by a strike: the creative stays broken for every page that has it."""
    if account.faults.peek("graph_broken_creative", request.path) == number:
        raise errors.unknown()
    if account.faults.peek("graph_deleted_reel", request.path) == number:
        raise errors.gone(str(number))


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"ads:{offset}".encode()).decode()


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("ads:"))
    except ValueError:
        raise errors.wrong("Invalid cursors values") from None


def answer(account: Account, request: Request, shown: dict[str, Any]) -> Answer:
    percent = account.faults.take("graph_usage", request.path)
    return as_json(shown, headers={} if percent is None else usage_headers(percent, minutes=0, use=use_of(request)))
