"""The account, its limits and its actors."""

from datetime import UTC, datetime
from typing import Any

from .. import errors
from ..account import Account
from ..actors import Actor, find_actor
from ..http import Answer, Request, data
from ..ids import iso
from ..limits import memory_in_use


def me(account: Account, _request: Request) -> Answer:
    return data({"id": account.user_id, "username": "sandbox", "isPaying": True, "createdAt": "2024-01-01T00:00:00.000Z"})


def limits(account: Account, _request: Request) -> Answer:
    config = account.config
    today = datetime.fromtimestamp(account.now(), UTC)
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    # While this fault is armed, the limits must also show that the month's money is spent.
    spent = config.monthly_limit_usd if account.faults.peek("usage_limit") else account.spent()
    shown = {
        "monthlyUsageCycle": {"startAt": iso(first.timestamp()), "endAt": iso(following.timestamp() - 0.001)},
        "limits": {
            "maxMonthlyUsageUsd": config.monthly_limit_usd,
            "maxMonthlyActorComputeUnits": 1000,
            "maxMonthlyExternalDataTransferGbytes": 100,
            "maxMonthlyProxySerps": 50_000,
            "maxMonthlyResidentialProxyGbytes": 50,
            "maxActorMemoryGbytes": config.memory_limit_mbytes / 1024,
            "maxActorCount": 100,
            "maxActorTaskCount": 1000,
            "maxConcurrentActorJobs": int(config.concurrent_runs_limit),
            "maxTeamAccountSeatCount": 3,
            "dataRetentionDays": 14,
            "maxScheduleCount": 100,
        },
        "current": {
            "monthlyUsageUsd": round(spent, 6),
            "monthlyActorComputeUnits": 0,
            "monthlyExternalDataTransferGbytes": 0,
            "monthlyProxySerps": 0,
            "monthlyResidentialProxyGbytes": 0,
            "actorMemoryGbytes": memory_in_use(account.live()) / 1024,
            "actorCount": 0,
            "actorTaskCount": 0,
            "activeActorJobCount": len(account.live()),
            "teamAccountSeatCount": 1,
            "scheduleCount": 0,
        },
    }
    return data(shown)


def actor(account: Account, request: Request) -> Answer:
    """The actor's object with its prices, past, present and announced."""
    found = find_actor(request.captured["actor_id"])
    if found is None:
        raise errors.ApiError(404, "actor-not-found", "Actor was not found. /sandbox/state lists the actors of the sandbox.")
    username, _, name = found.name.partition("~")
    notice = account.faults.take("actor_notice", request.path)
    return data(
        {
            "id": found.id,
            "userId": username,
            "name": name,
            "username": username,
            "title": found.title,
            "isPublic": True,
            "createdAt": "2024-01-01T00:00:00.000Z",
            "modifiedAt": "2024-01-15T00:00:00.000Z",
            "stats": {},
            "versions": [],
            "defaultRunOptions": {
                "build": "latest",
                "timeoutSecs": found.timeout_secs,
                "memoryMbytes": found.memory_mbytes,
            },
            "pricingInfos": _prices(account, found, request.path),
        }
        | ({} if notice is None else {"isDeprecated": True, "notice": notice})
    )


def _prices(account: Account, found: Actor, path: str) -> list[dict[str, Any]]:
    config, model = account.config, account.faults.take("pricing_model", path)
    announced = config.next_price_per_1000_usd
    before = (found.price_per_1000_usd if config.price_per_1000_usd is None else config.price_per_1000_usd) / 1000
    prices = [("2024-01-15T00:00:00.000Z", before)]
    if announced is not None:
        prices.append((iso(config.next_price_at), announced / 1000))
    return [
        {
            "pricingModel": model or "PRICE_PER_DATASET_ITEM",
            "unitName": found.unit_name,
            "apifyMarginPercentage": 0.2,
            "createdAt": "2024-01-01T00:00:00.000Z",
            "startedAt": since,
        }
        | ({} if model else {"pricePerUnitUsd": price})
        for since, price in prices
    ]
