"""Error answers, and connections that are cut without an answer."""


class ApiError(Exception):
    """An error envelope: HTTP status, Apify's ``type``, a message, and headers if the case needs any."""

    def __init__(self, status: int, type: str, message: str, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.type = type
        self.message = message
        self.headers = headers or {}


class CutConnection(Exception):
    """The socket is closed without an answer."""


class RawAnswer(Exception):
    """A body that the API does not document: HTML from a proxy, or truncated JSON."""

    def __init__(self, status: int, content_type: str, body: bytes):
        super().__init__(f"{status} {content_type}")
        self.status = status
        self.content_type = content_type
        self.body = body


def not_found(what: str = "resource") -> ApiError:
    return ApiError(404, "record-not-found", f"The requested {what} was not found.")


def invalid(message: str, type: str = "invalid-value") -> ApiError:
    return ApiError(400, type, message)


def server_error(status: int = 500) -> ApiError:
    return ApiError(status, "internal-server-error", "Something went wrong on our side. Please try again later.")


def no_money() -> ApiError:
    message = (
        "By launching this job you will exceed your remaining usage of $0.002. "
        "Please consider an upgrade to a higher subscription plan."
    )
    return ApiError(402, "not-enough-usage-to-run-paid-actor", message)


def usage_limit() -> ApiError:
    return ApiError(403, "platform-feature-disabled", "Monthly usage hard limit exceeded")


def no_memory(asked_mbytes: int, used_mbytes: int, limit_mbytes: int) -> ApiError:
    message = (
        f"By launching this job you will exceed the memory limit of {limit_mbytes}MB for all your Actor runs and builds "
        f"(currently used: {used_mbytes}MB, requested: {asked_mbytes}MB)."
    )
    return ApiError(402, "actor-memory-limit-exceeded", message)


def no_slots(limit: int) -> ApiError:
    return ApiError(402, "concurrent-runs-limit-exceeded", f"You have reached the limit of {limit} concurrent Actor runs.")
