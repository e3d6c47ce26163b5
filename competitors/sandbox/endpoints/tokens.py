"""Apify's tokens."""

from ..account import Account
from ..errors import ApiError
from ..http import Request, Route


def check(account: Account, request: Request, route: Route) -> None:
    """Refuse a call without a token that needs one, and every wrong token."""
    config, token = account.config, request.token
    if not token:
        if route.needs_token:
            raise ApiError(401, "token-not-provided", "Authentication token was not provided.")
        return
    if token in config.bad_tokens or (config.token is not None and token != config.token):
        raise ApiError(401, "user-or-token-not-found", "User was not found or authentication token is not valid.")
