"""Runs and datasets as the API shows them."""

import hashlib
from typing import Any

from .ids import iso, opaque_id
from .run import Run

_BUILD_ID = opaque_id()
_BUILD_NUMBER, _BUILD_NUMBER_INT = "0.1.42", 1042


def run_object(run: Run, user_id: str, now: float, show_costs: bool = True) -> dict[str, Any]:
    """The full object. Like Apify, the sandbox hides costs from callers without a token."""
    shown = _common(run, user_id, now) | {
        "statusMessage": run.message(now),
        "isStatusMessageTerminal": run.ended(now),
        "stats": _stats(run, now),
        "options": _options(run),
        "exitCode": _exit_code(run, now),
        "generalAccess": "FOLLOW_USER_SETTING",
        "storageIds": {
            "datasets": {"default": run.dataset_id},
            "keyValueStores": {"default": run.store_id},
            "requestQueues": {"default": run.queue_id},
        },
        "pricingInfo": {
            "pricingModel": "PRICE_PER_DATASET_ITEM",
            "unitName": run.actor.unit_name,
            "pricePerUnitUsd": run.price_usd,
            "apifyMarginPercentage": 0.2,
            "createdAt": "2024-01-01T00:00:00.000Z",
            "startedAt": "2024-01-15T00:00:00.000Z",
        },
        "platformUsageBillingModel": "DEVELOPER",
    }
    if show_costs:
        shown["usageTotalUsd"] = None if "no_costs" in run.faults else run.cost(now)
    return shown


def run_short(run: Run, user_id: str, now: float) -> dict[str, Any]:
    """The object in lists. Its cost is always a number, because the client rejects null here."""
    return _common(run, user_id, now) | {"buildNumberInt": _BUILD_NUMBER_INT, "usageTotalUsd": run.cost(now)}


def dataset_object(run: Run, user_id: str, now: float, base_url: str) -> dict[str, Any]:
    count = item_total(run, now)
    last = run.items(now, max(0, count - 1), count)
    return {
        "id": run.dataset_id,
        "name": None,
        "userId": user_id,
        "createdAt": iso(run.started),
        "modifiedAt": iso(run.finished(now) or now),
        "accessedAt": iso(now),
        "itemCount": count,
        "cleanItemCount": count,
        "actId": run.actor.id,
        "actRunId": run.id,
        "fields": list(last[0]) if last else [],
        "consoleUrl": f"{base_url}/v2/datasets/{run.dataset_id}",
        "generalAccess": "FOLLOW_USER_SETTING",
        "stats": {"readCount": 0, "writeCount": count, "storageBytes": 0},
    }


def item_total(run: Run, now: float) -> int:
    """The dataset's own item count, which may lag behind its rows."""
    return run.item_count(now - max(run.faults.get("lag_total", 0), run.faults.get("lag_items", 0)))


def _common(run: Run, user_id: str, now: float) -> dict[str, Any]:
    finished = run.finished(now)
    meta: dict[str, Any] = {"origin": "API", "clientIp": run.client_ip}
    if run.user_agent is not None:
        meta["userAgent"] = run.user_agent
    return {
        "id": run.id,
        "actId": run.actor.id,
        "userId": user_id,
        "actorTaskId": None,
        "startedAt": iso(run.started),
        "finishedAt": None if finished is None else iso(finished),
        "status": run.status(now),
        "meta": meta,
        "buildId": _BUILD_ID,
        "buildNumber": _BUILD_NUMBER,
        "defaultKeyValueStoreId": run.store_id,
        "defaultDatasetId": run.dataset_id,
        "defaultRequestQueueId": run.queue_id,
    }


def _options(run: Run) -> dict[str, Any]:
    options = run.options
    shown: dict[str, Any] = {
        "build": options.build,
        "timeoutSecs": options.timeout_secs,
        "memoryMbytes": options.memory_mbytes,
        "diskMbytes": options.memory_mbytes * 2,
    }
    if options.max_items is not None:
        shown["maxItems"] = options.max_items
    if options.max_total_charge_usd is not None:
        shown["maxTotalChargeUsd"] = options.max_total_charge_usd
    return shown


def _stats(run: Run, now: float) -> dict[str, Any]:
    """Made up but stable: the same run shows the same numbers at the same moment."""
    seconds = max(0.0, (run.finished(now) or now) - run.started)
    wobble = int(hashlib.sha256(run.id.encode()).hexdigest()[:4], 16) / 65_536
    memory = int(run.options.memory_mbytes * 2**20 * (0.2 + wobble / 4))
    return {
        "inputBodyLen": len(run.body),
        "migrationCount": 0,
        "rebootCount": 0,
        "restartCount": 0,
        "resurrectCount": run.resurrections,
        "memAvgBytes": memory,
        "memMaxBytes": int(memory * 1.3),
        "memCurrentBytes": 0 if run.ended(now) else memory,
        "cpuAvgUsage": round(5 + wobble * 20, 3),
        "cpuMaxUsage": round(60 + wobble * 60, 3),
        "netRxBytes": run.item_count(now) * 9_000,
        "netTxBytes": run.item_count(now) * 700,
        "durationMillis": int(seconds * 1000),
        "runTimeSecs": round(seconds, 3),
        "metamorph": 0,
        "computeUnits": round(seconds / 3600 * run.options.memory_mbytes / 1024, 6),
    }


def _exit_code(run: Run, now: float) -> int | None:
    return {"SUCCEEDED": 0, "FAILED": 91, "TIMED-OUT": 143, "ABORTED": 137}.get(run.life.status(now))
