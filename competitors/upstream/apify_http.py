"""How Apify is asked: apify-client's transport, with bounded answers and without redirects. Answers are plain JSON."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from urllib.parse import quote

import impit
from apify_client.http_clients import ImpitHttpClient
from django.conf import settings

from pipeline.words.foreign import read_json

from . import retry_after

ERROR_BYTES = 100_000  # read of an answer that is an error
NETWORK = (impit.HTTPError, OSError)


class TooLarge(Exception):
    """The decoded answer is larger than PIPELINE_ANSWER_BYTES. `content` is what was read of it."""

    def __init__(self, content: bytes):
        super().__init__(f"it is larger than {settings.PIPELINE_ANSWER_BYTES:,} bytes")
        self.content = content


@dataclass(frozen=True)
class Answer:
    """An answer that was read whole. Has what apify-client expects of one."""

    status_code: int
    headers: dict[str, str]  # names in lower case
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """ValueError if it is not JSON."""
        return read_json(self.content)

    def read(self) -> bytes:
        return self.content

    def close(self) -> None: ...

    def number(self, header: str) -> int:
        """The header as a whole number, 0 if it is none."""
        digits = self.headers.get(header, "")
        return int(digits) if digits.isdecimal() and len(digits) < 10 else 0


class Http(ImpitHttpClient):
    """Reads answers piece by piece and stops at the limit, so that a small compressed one cannot fill the memory."""

    asked: float | None = None  # the Retry-After of the last 429, seconds: apify-client ignores it

    def __init__(self, *, retries: int, timeout: timedelta, suffix: str = ""):
        super().__init__(
            token=settings.APIFY_TOKEN,
            max_retries=retries,
            timeout_medium=timeout,
            timeout_max=timeout,
            user_agent_suffix=suffix or None,
        )
        self._impit_client = impit.Client(follow_redirects=False)  # our token goes to the configured address only

    def ask(self, method: str, *path: str, params: dict[str, Any] | None = None, json: Any = None) -> Answer:
        """The answer of /v2/path/…; an ApifyApiError for any status from 300 on."""
        base = settings.APIFY_API_URL.rstrip("/").removesuffix("/v2")
        url = "/".join([base, "v2", *(quote(part, safe="~") for part in path)])
        return cast(Answer, self.call(method=method, url=url, params=params, json=json))  # as send_request makes it

    def ask_any_size(self, method: str, *path: str, params: dict[str, Any] | None = None) -> Answer | TooLarge:
        try:
            return self.ask(method, *path, params=params)
        except TooLarge as error:
            return error

    def send_request(self, **request: Any) -> Any:
        response = super().send_request(**request | {"stream": True})
        try:
            headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
            good = response.status_code < 300
            content = self._read(response, settings.PIPELINE_ANSWER_BYTES if good else ERROR_BYTES, strict=good)
        finally:
            response.close()
        if response.status_code == 429:
            self.asked = retry_after.seconds(headers.get("retry-after"))
        return Answer(response.status_code, headers, content)

    @staticmethod
    def _read(response: impit.Response, most: int, *, strict: bool) -> bytes:
        read = bytearray()
        for piece in response.iter_bytes():
            read += piece
            if len(read) > most:
                if strict:
                    raise TooLarge(bytes(read))
                return bytes(read[:most])
        return bytes(read)
