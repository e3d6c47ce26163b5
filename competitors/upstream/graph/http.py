"""One request to the Graph API with one token: limits of time and size, no redirects, a few tries."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from pipeline.contract.errors import BlockedError, CredentialRejected, PermanentError, TransientError, UpstreamDown
from pipeline.words.foreign import read_json

from .. import retry_after
from .refusals import NAME, AskedTooMuch, Refusal, block_seconds
from .usage import Usage, read_usage

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5, 30, 90
ERROR_BYTES, PIECE = 100_000, 65_536
PAUSES = (0.5, 2)  # seconds before the second and third try after a passing fault
BUSY_PERCENT, BUSY_PAUSE = 75, 5.0  # of a limit: from there on, so many seconds go by before each request
MOST_PAGES = 20_000  # more of one list is an answer that never ends
NETWORK = (requests.RequestException, HTTPError, OSError)


class Bearer(AuthBase):
    """The token goes into a header, so no address has it. Given as `auth`, it is not replaced by one of a .netrc file."""

    def __init__(self, token: str):
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Graph:
    """Meta as one ad account's token sees it. `account` is "act_…"; '' asks with everybody's token."""

    def __init__(self, account: str = "", check: Callable[[], None] = lambda: None):
        """`check` is called before each request and while waiting, and may raise, such as a context's."""
        own = settings.META_ACCESS_TOKENS.get(account, "")
        self._own, self.token, self._check = account if own else "", own or settings.META_ACCESS_TOKEN, check
        self._session = requests.Session()
        self.usage = Usage()

    def get(self, path: str, what: str, **params: str | int) -> dict[str, Any]:
        """The answer at /<version>/<path>. `what` is asked about, in words for people: "the ads of act_1".

        Raises one of the errors of contract/errors.py, AskedTooMuch or ObjectGone.
        """
        self._may_ask(what)
        for pause in (*PAUSES, None):
            try:
                return self._once("GET", path, what, params)
            except UpstreamDown:
                if pause is None:
                    raise
            self.sleep(pause)
        raise AssertionError  # the last try answers or raises

    def post(self, path: str, what: str, **params: str) -> dict[str, Any]:
        """Sent once: without an answer, it is not known whether Meta did it."""
        self._may_ask(what)
        return self._once("POST", path, what, params)

    def sleep(self, seconds: float) -> None:
        """Meanwhile the run can be stopped."""
        end = time.monotonic() + seconds
        self._check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))
            self._check()

    def _may_ask(self, what: str) -> None:
        """Heeds Meta's limits before they are hit: a refused request counts as well."""
        if not self.token:
            words = "META_ACCESS_TOKEN is not set, so Meta cannot be used. Set it for web and worker, then retry."
            raise CredentialRejected(words, NAME)
        if self.usage.percent >= 100 or self.usage.seconds:
            usage, self.usage = self.usage, Usage()
            words = f"Meta's limit of requests is used up, so it is not asked about {what} for now. The run continues by itself."
            raise BlockedError(words, block_seconds(usage))
        self.sleep(BUSY_PAUSE if self.usage.percent >= BUSY_PERCENT else 0)

    def _once(self, method: str, path: str, what: str, params: Mapping[str, str | int]) -> dict[str, Any]:
        address = f"{settings.META_GRAPH_URL.rstrip('/')}/{settings.META_GRAPH_VERSION}/{quote(path, safe='/_')}"
        try:
            with self._session.request(
                method,
                address,
                params=params if method == "GET" else None,
                data=params if method == "POST" else None,
                auth=Bearer(self.token),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,  # the token goes to the configured address only
                stream=True,
            ) as response:
                status, headers = response.status_code, response.headers
                body = _read(response, settings.PIPELINE_ANSWER_BYTES if status < 300 else ERROR_BYTES, strict=status < 300)
        except NETWORK as error:
            raise UpstreamDown(f"Meta cannot be reached ({type(error).__name__}).", NAME) from None  # it may name the address
        self.usage = read_usage(headers)
        return self._judged(status, body, what, retry_after.seconds(headers.get("Retry-After")))

    def _judged(self, status: int, body: bytes, what: str, wait: float | None) -> dict[str, Any]:
        try:
            answer = read_json(body)
        except ValueError:
            answer = None
        if refusal := Refusal.of(status, answer):
            raise refusal.meaning(what, self._own, self.usage, wait)
        if 300 <= status < 400:
            words = f"Meta answered with a redirect (HTTP {status}), which is refused. Check META_GRAPH_URL."
            raise PermanentError(words)
        if status != 200:
            raise Refusal(status).meaning(what, self._own, self.usage, wait)
        if not isinstance(answer, dict):
            raise TransientError(f"Meta's answer about {what} could not be read.")
        return answer


@dataclass(frozen=True)
class Page:
    items: list[Any]
    after: str  # the next page's cursor, '' behind the last one


def page_of(answer: dict[str, Any], what: str) -> Page:
    """One page of a list. `paging.next` has the token in clear: only that it is there is used."""
    items, paging = answer.get("data"), answer.get("paging")
    if not isinstance(items, list):
        raise TransientError(f"Meta's answer about {what} could not be read.")
    cursors = paging.get("cursors") if items and isinstance(paging, dict) and paging.get("next") else None
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return Page(items, after if isinstance(after, str) else "")


def every_page(read: Callable[[str], Page], what: str) -> Iterator[Page]:
    """The pages of a list, one after the other. `read` is given the cursor of the page before, '' for the first.

    A list whose cursors come again, or that has too many pages, never ends: TransientError.
    """
    after, met = "", {""}
    for _ in range(MOST_PAGES):
        page = read(after)
        yield page
        after = page.after
        if not after:
            return
        if after in met:
            break
        met.add(after)
    raise TransientError(f"Meta's answer about {what} does not end.")


def _read(response: requests.Response, most: int, *, strict: bool) -> bytes:
    """The decoded body. Read piece by piece: a small compressed answer must not fill the memory, nor a trickle take for ever."""
    end, read = time.monotonic() + WHOLE_SECONDS, bytearray()
    while piece := response.raw.read1(PIECE, decode_content=True):
        read += piece
        if len(read) > most:
            if strict:
                raise AskedTooMuch(f"Meta's answer is larger than {most:,} bytes.")
            return bytes(read[:most])
        if time.monotonic() > end:
            raise UpstreamDown(f"Meta's answer was not complete within {WHOLE_SECONDS} s.", NAME)
    return bytes(read)
