"""The account, its limits and its actors."""

from datetime import UTC, datetime

from .. import errors
from ..account import Account
from ..actors import find_actor
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


def actor(_account: Account, request: Request) -> Answer:
    """The actor's object. The client reads its name when it follows a run's log."""
    found = find_actor(request.captured["actor_id"])
    if found is None:
        raise errors.ApiError(404, "actor-not-found", "Actor was not found. /sandbox/state lists the actors of the sandbox.")
    username, _, name = found.name.partition("~")
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
        }
    )
