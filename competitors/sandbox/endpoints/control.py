"""Calls that control the sandbox. They are not part of Apify's API, need no token, and faults do not apply to them."""

import json
from datetime import date
from typing import Any

from ..account import Account
from ..actors import all_actors
from ..fault_kinds import KINDS
from ..graph.performance import truth
from ..http import Answer, Request, as_json
from . import graph


def state(account: Account, _request: Request) -> Answer:
    return as_json(state_of(account))


def state_of(account: Account) -> dict[str, Any]:
    """What happened so far: runs, requests by method and route, spending, armed faults and how often faults struck."""
    with account.changed:
        now = account.now()
        runs = [
            {
                "id": run.id,
                "actor": run.actor.name,
                "status": run.status(now),
                "items": run.item_count(now),
                "charged": run.charged(now),
                "userAgent": run.user_agent,
                "gone": run.gone,
            }
            for run in account.runs.values()
        ]
        return {
            "runs_started": len(runs),
            "runs": runs,
            "spent_usd": round(account.spent(), 6),
            "requests": dict(account.requests),
            "faults": account.faults.shown(),
            "struck": dict(account.faults.struck),
            "settings": account.config.shown(),
            "day": len(account.world.days),
            "actors": [actor.name for actor in all_actors()],
        }


def known_faults(_account: Account, _request: Request) -> Answer:
    return as_json({name: {"meaning": kind.meaning, "default": kind.default} for name, kind in KINDS.items()})


def insights(account: Account, request: Request) -> Answer:
    """``?account=act_1&since=2026-11-01&until=2026-11-07``: what that account's insights must add up to."""
    number = request.query.get("account", "").removeprefix("act_")
    since, until = (date.fromisoformat(request.query.get(name, "")) for name in ("since", "until"))
    return as_json(truth(number, since, until, graph.world_of(account, request), account.now()))


def arm(account: Account, request: Request) -> Answer:
    """``{"drop_start": {"value": true, "count": 1, "path": "/acts/"}, "slow": 0.2, "no_money": null}``: null disarms."""
    account.faults.arm_all(_body(request))
    return as_json(account.faults.shown())


def change_settings(account: Account, request: Request) -> Answer:
    account.config.change(_body(request))
    return as_json(account.config.shown())


def reset(account: Account, _request: Request) -> Answer:
    account.forget()
    return as_json(state_of(account))


def advance(account: Account, request: Request) -> Answer:
    """``{"days": 1, "new_reviews": 5}``: each day adds new reviews to every listing, edits one
    review, and changes the ad library by the settings ``new_ads_per_day`` and ``gone_ads_per_day``."""
    given = {"days": 1, "new_reviews": 5} | _body(request)
    if set(given) != {"days", "new_reviews"} or not all(isinstance(n, int) and n >= 0 for n in given.values()):
        raise ValueError("Give days and new_reviews as whole numbers.")
    return as_json({"day": account.advance(given["days"], given["new_reviews"])})


def finish(account: Account, request: Request) -> Answer:
    """``{"run": "id"}``, or an empty body for every live run: bring it to its planned end now, with all its items."""
    return as_json({"finished": account.finish(_body(request).get("run"))})


def _body(request: Request) -> dict[str, Any]:
    given = json.loads(request.raw_body or b"{}")
    if not isinstance(given, dict):
        raise ValueError("The body must be a JSON object.")
    return given
