"""Starting, listing, reading, aborting and resurrecting runs, and their logs."""

import re
from typing import Any

from .. import errors
from ..account import Account
from ..actors import Actor, find_actor
from ..http import Answer, Request, data
from ..ids import milliseconds, parse_iso
from ..launch import Start
from ..log import log_text
from ..representation import run_object, run_short
from ..run import Options, Run
from ..start_input import read_input

_MOST_LISTED = 1000


def start(account: Account, request: Request) -> Answer:
    """Answer 201 and the run. A failure before the run is created leaves no run; a later failure leaves one."""
    faults, path = account.faults, request.path
    actor = _actor(request)
    options = _options(request, Options(actor.memory_mbytes, actor.timeout_secs))
    seconds_to_wait = _seconds_to_wait(request)
    body = request.body()
    given = read_input(actor, body)
    _refuse_by_fault(account, options, path)
    run = account.start(
        Start(
            actor=actor,
            given=given,
            body=body,
            content_type=request.headers.get("content-type", "application/json; charset=utf-8"),
            options=options,
            user_agent=request.headers.get("user-agent"),
            client_ip=request.client_ip,
            path=path,
        )
    )
    if faults.take("drop_start", path) is not None:
        raise errors.CutConnection
    if (status := faults.take("error_start", path)) is not None:
        raise errors.server_error(status)
    if (seconds := faults.take("slow_start", path)) is not None:
        account.closed.wait(seconds)
    account.wait(run, seconds_to_wait)
    location = f"{request.base_url}/v2/actors/{actor.id}/runs/{run.id}"
    return data(_shown(account, run, request), 201, {"Location": location})


def read(account: Account, request: Request) -> Answer:
    run = account.run(request.captured["run_id"])
    return _after_wait(account, run, request)


def read_of_actor(account: Account, request: Request) -> Answer:
    """The deprecated address of a run, below its actor. The Location header of a start points here."""
    run = account.run(request.captured["run_id"])
    if run.actor is not _actor(request):
        raise errors.not_found("run")
    return _after_wait(account, run, request)


def abort(account: Account, request: Request) -> Answer:
    run = account.run(request.captured["run_id"])
    account.abort(run)
    return data(_shown(account, run, request))


def resurrect(account: Account, request: Request) -> Answer:
    run = account.run(request.captured["run_id"])
    options = _options(request, run.options)
    account.resurrect(run, read_input(run.actor, run.body), options)
    return data(_shown(account, run, request))


def list_of_actor(account: Account, request: Request) -> Answer:
    actor = _actor(request)
    return _listed(account, request, [run for run in account.listed_runs() if run.actor is actor])


def list_all(account: Account, request: Request) -> Answer:
    return _listed(account, request, account.listed_runs())


def log(account: Account, request: Request) -> Answer:
    """The log so far. ``stream=1`` gets the same and then ends."""
    run = account.run(request.captured["run_id"])
    return Answer(200, log_text(run, account.now()).encode(), "text/plain; charset=utf-8")


def _after_wait(account: Account, run: Run, request: Request) -> Answer:
    """The run, once it has ended or ``waitForFinish`` is over."""
    account.wait(run, _seconds_to_wait(request))
    return data(_shown(account, run, request))


def _seconds_to_wait(request: Request) -> float:
    return request.number("waitForFinish") or 0


def _actor(request: Request) -> Actor:
    actor = find_actor(request.captured["actor_id"])
    if actor is None:
        raise errors.ApiError(404, "actor-not-found", "Actor was not found. /sandbox/state lists the actors of the sandbox.")
    return actor


def _shown(account: Account, run: Run, request: Request) -> dict[str, Any]:
    return run_object(run, account.user_id, account.now(), show_costs=bool(request.token))


def _options(request: Request, default: Options) -> Options:
    """The options in the query of a start, with defaults for the rest."""
    memory = request.integer("memory", default.memory_mbytes)
    if not 128 <= memory <= 32_768 or memory & (memory - 1):
        raise errors.invalid("Query parameter memory must be a power of two from 128 to 32768.")
    max_items = request.integer("maxItems", -1) if "maxItems" in request.query else default.max_items
    if max_items is not None and max_items <= 0:
        raise errors.invalid("maxItems must be greater than zero.", "max-items-must-be-greater-than-zero")
    charge = request.number("maxTotalChargeUsd", default.max_total_charge_usd)
    if charge is not None and charge <= 0:
        raise errors.invalid("maxTotalChargeUsd is too small.", "max-total-charge-usd-below-minimum")
    build = request.query.get("build") or default.build
    if build != "latest" and not re.fullmatch(r"\d+\.\d+(\.\d+)?", build):
        raise errors.invalid(f"Build {build!r} was not found.", "unknown-build-tag")
    return Options(memory, request.integer("timeout", default.timeout_secs), build, max_items, charge)


def _refuse_by_fault(account: Account, options: Options, path: str) -> None:
    faults, config = account.faults, account.config
    if (status := faults.take("refuse_start", path)) is not None:
        raise errors.server_error(status)
    if faults.take("no_memory", path) is not None:
        raise errors.no_memory(options.memory_mbytes, config.memory_limit_mbytes, config.memory_limit_mbytes)
    if faults.take("no_slots", path) is not None:
        raise errors.no_slots(config.concurrent_runs_limit)
    if faults.take("no_money", path) is not None:
        raise errors.no_money()
    if faults.take("usage_limit", path) is not None:
        raise errors.usage_limit()


def _listed(account: Account, request: Request, runs: list[Run]) -> Answer:
    now = account.now()
    offset, desc = request.integer("offset", 0), request.flag("desc")
    limit = min(request.integer("limit", _MOST_LISTED) or _MOST_LISTED, _MOST_LISTED)
    wanted = set(request.words("status"))
    after, before = _moment(request, "startedAfter"), _moment(request, "startedBefore")
    chosen = [
        run
        for run in runs
        if (not wanted or run.status(now) in wanted)
        and (after is None or milliseconds(run.started) >= after)
        and (before is None or milliseconds(run.started) <= before)
    ]
    chosen.sort(key=lambda run: run.started, reverse=desc)
    page = [run_short(run, account.user_id, now) for run in chosen[offset : offset + limit]]
    return data({"total": len(chosen), "count": len(page), "offset": offset, "limit": limit, "desc": desc, "items": page})


def _moment(request: Request, name: str) -> int | None:
    """A time of the query, in epoch milliseconds."""
    text = request.query.get(name, "")
    try:
        return milliseconds(parse_iso(text)) if text else None
    except ValueError:
        raise errors.invalid(f"Query parameter {name} must be an ISO 8601 time, not {text!r}.") from None
