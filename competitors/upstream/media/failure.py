from competitors.models import MediaReason


class Failure(Exception):
    """The file is not stored. The message is for the log: the reason has the words for people."""

    def __init__(self, reason: MediaReason, message: str):
        super().__init__(message)
        self.reason = reason


class Passing(Failure):
    """It may work a moment later: after `wait` seconds, if the server named them."""

    def __init__(self, reason: MediaReason, message: str, wait: float | None = None):
        super().__init__(reason, message)
        self.wait = wait
