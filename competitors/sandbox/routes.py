"""Which function answers which path. ``/v2/acts`` is the old name of ``/v2/actors``; both work."""

from collections.abc import Callable
from dataclasses import dataclass

from . import errors
from .account import Account
from .endpoints import cdn, control, datasets, graph, graph_access, graph_insights, runs, stores, tokens, users
from .graph import GRAPH
from .http import Answer, Request, Route, as_error
from .media.links import CDN


def _actor_routes(prefix: str) -> list[Route]:
    return [
        Route("GET", f"{prefix}/{{actor_id}}", users.actor),
        Route("POST", f"{prefix}/{{actor_id}}/runs", runs.start),
        Route("GET", f"{prefix}/{{actor_id}}/runs", runs.list_of_actor),
        Route("GET", f"{prefix}/{{actor_id}}/runs/{{run_id}}", runs.read_of_actor, needs_token=False),
    ]


#: Calls with ``needs_token=False`` rely on the unguessable id in their path.
API = [
    *_actor_routes("/v2/acts"),
    *_actor_routes("/v2/actors"),
    Route("GET", "/v2/actor-runs", runs.list_all),
    Route("GET", "/v2/actor-runs/{run_id}", runs.read, needs_token=False),
    Route("POST", "/v2/actor-runs/{run_id}/abort", runs.abort),
    Route("POST", "/v2/actor-runs/{run_id}/resurrect", runs.resurrect),
    Route("GET", "/v2/actor-runs/{run_id}/log", runs.log, needs_token=False),
    Route("GET", "/v2/logs/{run_id}", runs.log, needs_token=False),
    Route("GET", "/v2/actor-runs/{run_id}/dataset/items", datasets.items_of_run, needs_token=False),
    Route("GET", "/v2/actor-runs/{run_id}/key-value-store/records/{key}", stores.record_of_run),
    Route("GET", "/v2/datasets/{dataset_id}", datasets.read),
    Route("GET", "/v2/datasets/{dataset_id}/items", datasets.items, needs_token=False),
    Route("GET", "/v2/key-value-stores/{store_id}/records/{key}", stores.record),
    Route("GET", "/v2/users/me", users.me),
    Route("GET", "/v2/users/me/limits", users.limits),
]

CONTROL = [
    Route("GET", "/sandbox/state", control.state),
    Route("GET", "/sandbox/faults", control.known_faults),
    Route("GET", "/sandbox/insights", control.insights),
    Route("POST", "/sandbox/faults", control.arm),
    Route("POST", "/sandbox/settings", control.change_settings),
    Route("POST", "/sandbox/reset", control.reset),
    Route("POST", "/sandbox/advance", control.advance),
    Route("POST", "/sandbox/finish", control.finish),
]

MEDIA = [
    Route("GET", f"{CDN}/v/{{folder}}/{{name}}", cdn.file, needs_token=False),
]

META = [
    Route("GET", f"{GRAPH}/{{version}}", graph.several),
    Route("GET", f"{GRAPH}/{{version}}/debug_token", graph.debug_token),
    Route("GET", f"{GRAPH}/{{version}}/{{id}}", graph.node),
    Route("GET", f"{GRAPH}/{{version}}/{{id}}/ads", graph.ads),
    Route("GET", f"{GRAPH}/{{version}}/{{id}}/insights", graph_insights.insights),
    Route("POST", f"{GRAPH}/{{version}}/{{id}}/insights", graph_insights.start),
]


@dataclass(frozen=True)
class Service:
    """One of the services that the sandbox imitates."""

    routes: list[Route]
    check: Callable[[Account, Request, Route], None] | None  # refuses tokens
    as_error: Callable[[errors.ApiError], Answer]


_APIFY = Service(API, tokens.check, as_error)
_BY_PREFIX = {
    CDN: Service(MEDIA, None, cdn.as_error),
    GRAPH: Service(META, graph_access.check, graph_access.as_error),
}


def service_of(path: str) -> Service:
    return next((service for prefix, service in _BY_PREFIX.items() if path.startswith(f"{prefix}/")), _APIFY)


def find(routes: list[Route], request: Request) -> Route:
    """The route of a request, with the parts of its path captured. Raises 404 or 405 if there is none."""
    allowed = []
    method = "GET" if request.method == "HEAD" else request.method
    for route in routes:
        captured = route.match(request.path)
        if captured is not None and route.method == method:
            request.captured = captured
            return route
        if captured is not None:
            allowed.append(route.method)
    if allowed:
        message = f"This API end-point can only be accessed using the following HTTP methods: OPTIONS,{','.join(allowed)}"
        raise errors.ApiError(405, "method-not-allowed", message)
    raise errors.ApiError(404, "page-not-found", "We have bad news: there is no API endpoint at this URL.")


def control_answer(account: Account, request: Request) -> Answer:
    """The caller's mistakes become a 400 with a message."""
    try:
        return find(CONTROL, request).handler(account, request)
    except ValueError as mistake:
        raise errors.invalid(str(mistake), "invalid-request") from None
