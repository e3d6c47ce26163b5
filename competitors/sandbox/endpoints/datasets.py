"""A run's default dataset: its object and its items."""

import json

from .. import errors
from ..account import Account
from ..http import Answer, Request, as_json, data
from ..plan import Item
from ..representation import dataset_object, item_total
from ..run import Run

_NO_LIMIT = 999_999_999_999
_ENDLESS_PAGE = 1000
_UNSUPPORTED = ("unwind", "flatten", "view", "outputFields")


def read(account: Account, request: Request) -> Answer:
    run = account.run_of_dataset(request.captured["dataset_id"])
    return data(dataset_object(run, account.user_id, account.now(), request.base_url))


def items(account: Account, request: Request) -> Answer:
    return _page(account, request, account.run_of_dataset(request.captured["dataset_id"]))


def items_of_run(account: Account, request: Request) -> Answer:
    run = account.run(request.captured["run_id"])
    try:
        run = account.run_of_dataset(run.dataset_id)
    except errors.ApiError:
        raise errors.ApiError(404, "default-dataset-not-found", "The default dataset of the run was not found.") from None
    return _page(account, request, run)


def _page(account: Account, request: Request, run: Run) -> Answer:
    """A bare array. The headers count stored rows, before empty and hidden parts are removed."""
    for name in _UNSUPPORTED:
        if request.query.get(name):
            raise errors.invalid(f"The sandbox does not support the query parameter {name}.", "invalid-parameter")
    now = account.now()
    stored = run.items(now - run.faults.get("lag_items", 0))
    offset, desc = request.integer("offset", 0), request.flag("desc")
    limit = request.integer("limit", 0) or _NO_LIMIT
    rows = (stored[::-1] if desc else stored)[offset : offset + limit]
    if stored and "endless_items" in run.faults:
        rows = [stored[number % len(stored)] for number in range(offset, offset + min(limit, _ENDLESS_PAGE))]
    headers = {
        "X-Apify-Pagination-Total": str(item_total(run, now)),
        "X-Apify-Pagination-Offset": str(offset),
        "X-Apify-Pagination-Count": str(len(rows)),
        "X-Apify-Pagination-Limit": str(limit),
        "X-Apify-Pagination-Desc": str(desc).lower(),
    }
    return _formatted(request, _shaped(request, rows), headers)


def _shaped(request: Request, rows: list[Item]) -> list[Item]:
    clean = request.flag("clean")
    if clean or request.flag("skipHidden"):
        rows = [{name: value for name, value in row.items() if not name.startswith("#")} for row in rows]
    if fields := request.words("fields"):
        rows = [{name: row[name] for name in fields if name in row} for row in rows]
    if omitted := set(request.words("omit")):
        rows = [{name: value for name, value in row.items() if name not in omitted} for row in rows]
    return [row for row in rows if row] if clean or request.flag("skipEmpty") else rows


def _formatted(request: Request, rows: list[Item], headers: dict[str, str]) -> Answer:
    kind = request.query.get("format", "json")
    if kind == "json":
        return as_json(rows, headers=headers)
    if kind == "jsonl":
        body = "".join(json.dumps(row) + "\n" for row in rows).encode()
        return Answer(200, body, "application/jsonl; charset=utf-8", headers)
    raise errors.invalid(f"The sandbox returns items as json or jsonl, not as {kind}.", "invalid-parameter")
