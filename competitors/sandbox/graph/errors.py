"""The Graph API's errors: decided by code and subcode, never by words, which are in the caller's language."""

from typing import Any

from ..errors import ApiError

#: Throttling comes as 400 or 403, never as 429.
_THROTTLED = {
    4: (403, 1504022, "Anwendungs-Anforderungslimit erreicht"),
    17: (400, 2446079, "Anforderungslimit des Nutzers erreicht"),
    32: (403, None, "Anforderungslimit der Seite erreicht"),
    613: (400, 1487742, "Zu viele Aufrufe dieses Werbekontos"),
    80000: (400, 2446079, "Zu viele Aufrufe dieses Werbekontos. Warte etwas und versuche es erneut."),
    80004: (400, 2446079, "Zu viele Aufrufe dieses Werbekontos. Warte etwas und versuche es erneut."),
}
_TOKEN = {
    458: "The user has not authorized the application.",
    459: "The session is invalid because the user has been checkpointed.",
    460: "The session has been invalidated because the user changed their password.",
    463: "Session has expired.",
}


class GraphError(ApiError):
    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        transient: bool = False,
        kind: str = "OAuthException",
    ):
        super().__init__(status, kind, message)
        self.code = code
        self.subcode = subcode
        self.transient = transient

    @property
    def envelope(self) -> dict[str, Any]:
        error = {"message": self.message, "type": self.type, "code": self.code, "fbtrace_id": "A2sandbox"}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.transient:
            error["is_transient"] = True
        return {"error": error}


def of(error: ApiError) -> GraphError:
    """Any error in this API's own form."""
    if isinstance(error, GraphError):
        return error
    codes = {400: 100, 401: 190, 429: 4, 404: 2500}
    return GraphError(error.status, codes.get(error.status, 2), error.message, transient=error.status >= 500)


def wrong(message: str) -> GraphError:
    return GraphError(400, 100, f"(#100) {message}")


def gone(node_id: str) -> GraphError:
    message = (
        f"Unsupported get request. Object with ID '{node_id}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation."
    )
    return GraphError(400, 100, message, subcode=33, kind="GraphMethodException")


def too_large() -> GraphError:
    return GraphError(500, 1, "Please reduce the amount of data you're asking for, then retry your request")


def too_much(code: int) -> GraphError:
    """The three ways to refuse a question for insights. The words of the last one are those of a passing fault, 1504044."""
    if code == 1504038:
        return GraphError(400, 1, "Please reduce the amount of data you're asking for, then retry your request", subcode=code)
    if code == 1487534:
        return GraphError(400, 100, "(#100) Zu viele Daten angefordert", subcode=code)
    return too_large()


def too_old() -> GraphError:
    words = "(#3018) The start date of the time range cannot be beyond 37 months from the current date"
    return GraphError(400, 3018, words)


def unknown() -> GraphError:
    return GraphError(500, 1, "An unknown error occurred", subcode=99)


def unavailable() -> GraphError:
    return GraphError(503, 2, "Service temporarily unavailable", transient=True)


def throttled(code: int) -> GraphError:
    status, subcode, message = _THROTTLED.get(code, (400, None, "Limit erreicht"))
    return GraphError(status, code, f"(#{code}) {message}", subcode=subcode)


def no_token() -> GraphError:
    return GraphError(400, 104, "An access token is required to request this resource.")


def token_invalid() -> GraphError:
    return GraphError(401, 190, "Invalid OAuth access token - Cannot parse access token")


def token_refused(subcode: int) -> GraphError:
    reason = _TOKEN.get(subcode, "The session is invalid.")
    return GraphError(401, 190, f"Error validating access token: {reason}", subcode=subcode)


def blocked() -> GraphError:
    return GraphError(403, 368, "The action attempted has been deemed abusive or is otherwise disallowed")


def no_permission() -> GraphError:
    return GraphError(403, 200, "(#200) Ad account owner has NOT grant ads_management or ads_read permission")


def version_dead(latest: str) -> GraphError:
    message = f"(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: {latest}."
    return GraphError(400, 2635, message)
