"""Apify as a source of the engine: which requests it takes, and what its answers and errors mean."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from apify_client.errors import ApifyApiError, ApifyClientError
from django.conf import settings

from pipeline.contract.errors import (
    AmbiguousStart,
    BlockedError,
    CredentialRejected,
    ItemsGone,
    PermanentError,
    RunError,
    SlowDown,
    TransientError,
    UpstreamDown,
)
from pipeline.contract.source import Offer, Order, Page, Seen, register_source, unread_item
from pipeline.words.foreign import TooDeep

from .apify_answers import ENDS, ID, TAG_MARK, entries, one_run, part, run_id_of, seen
from .apify_http import NETWORK, Http, TooLarge
from .prices import read_offer

logger = logging.getLogger(__name__)
T = TypeVar("T")
SMALLER_PAGE = 4  # a page that is too large is read again with a quarter of its items
LIST_PAGE = 1000
LIST_PAGES = 12  # read per call; an end beyond these 12,000 runs is found by the run's own slower check
READ_TIMEOUT, PAGE_TIMEOUT = timedelta(seconds=10), timedelta(seconds=30)
UNREADABLE = (ApifyClientError, ValueError, TooLarge)
GONE = ("record-not-found", "default-dataset-not-found")
NOT_HANDLED = (307, 308)  # redirects that say: this request was not handled, send it elsewhere


class Apify:
    """Implements pipeline.contract.Source. Settings are read at each call, so that a changed token takes effect."""

    name, label, id_pattern = "apify", "Apify", ID

    def __init__(self) -> None:
        self._complained: set[str] = set()

    def start(self, order: Order, tag: str) -> Seen:
        http = self._http(retries=0, timeout=timedelta(seconds=settings.PIPELINE_START_SECONDS), tag=tag)
        params = {
            "memory": order.memory_mb,
            "timeout": int(order.timeout.total_seconds()),
            "maxItems": order.max_items,
            "maxTotalChargeUsd": order.max_cost_usd,
        }
        try:
            return one_run(http.ask("POST", "actors", _path(order.actor), "runs", params=params, json=order.input).json())
        except ApifyApiError as error:
            status = error.status_code
            if status >= 500 or status == 408 or (status < 400 and status not in NOT_HANDLED):
                raise AmbiguousStart(f"HTTP {status} from Apify.") from error
            raise _classified(error, http) from error
        except NETWORK as error:
            raise AmbiguousStart(f"The connection to Apify broke ({type(error).__name__}).") from error
        except UNREADABLE as error:
            raise AmbiguousStart("Apify's answer could not be read.") from error

    def read_run(self, upstream_id: str) -> Seen:
        try:
            return self._read(lambda http: one_run(http.ask("GET", "actor-runs", upstream_id).json()))
        except ItemsGone:
            return Seen(id=upstream_id, state="gone", message="Apify no longer knows this run.")

    def read_actor(self, actor: str) -> dict[str, Any]:
        """The actor's own object as Apify answers it, {} without one; its `pricingInfos` tell what it costs."""
        data = self._read(lambda http: part(http.ask("GET", "actors", _path(actor)).json(), "data"))
        return data if isinstance(data, dict) else {}

    def offer(self, actor: str) -> Offer:
        return read_offer(self.read_actor(actor))

    def candidates(self, order: Order, since: datetime) -> Iterator[Seen]:
        unclear = False
        for number in range(LIST_PAGES):
            page = self._list(("actors", _path(order.actor), "runs"), number, startedAfter=since)
            for entry in page:
                run_id = run_id_of(entry)
                one = seen(entry, run_id)
                if run_id:
                    yield one
                elif not one.tag or one.tag.startswith("cp-"):
                    unclear = True
            if len(page) < LIST_PAGE:
                break
        else:
            raise TransientError("Apify lists more runs of this actor than can be read.")
        if unclear:  # Ours may be among the unread runs. Reporting none would start it, and pay for it, again.
            raise TransientError("Apify lists a run of this actor without a readable ID.")

    def has_input(self, seen: Seen, order: Order) -> bool:
        """Another caller's input may be anything: not JSON, or too large to be ours."""
        store = seen.extra.get("store")
        place = ("key-value-stores", store) if store else ("actor-runs", seen.id, "key-value-store")
        try:
            answer = self._read(lambda http: http.ask_any_size("GET", *place, "records", "INPUT"))
            return not isinstance(answer, TooLarge) and bool(answer.json() == order.input)
        except (ItemsGone, ValueError):
            return False

    def pages(self, seen: Seen, offset: int) -> Iterator[Page]:
        """Read until a page has no stored rows: an itemCount read just after the end may be too small."""
        dataset = seen.extra.get("dataset")
        place = ("datasets", dataset, "items") if dataset else ("actor-runs", seen.id, "dataset", "items")
        limit = settings.PIPELINE_PAGE_ITEMS
        while True:
            page = self._page(place, offset, limit)
            if page is None:
                limit = max(limit // SMALLER_PAGE, 1)
                continue
            if page.next_offset == offset:
                return
            yield page
            offset = page.next_offset
            limit = min(limit * SMALLER_PAGE, settings.PIPELINE_PAGE_ITEMS)

    def abort(self, upstream_id: str) -> Seen:
        try:
            return self._read(lambda http: one_run(http.ask("POST", "actor-runs", upstream_id, "abort").json()))
        except ItemsGone:
            return Seen(id=upstream_id, state="gone")

    def ended_since(self, since: datetime) -> Iterator[str]:
        for number in range(LIST_PAGES):
            page = self._list(("actor-runs",), number, status=list(ENDS), startedAfter=since)
            ids = [run_id_of(entry) for entry in page]
            if not all(ids):
                self._complain("Apify lists a run without a readable ID. It is skipped.")
            yield from filter(None, ids)
            if len(page) < LIST_PAGE:
                return

    def probe(self) -> None:
        self._list(("actor-runs",), 0, limit=1)

    def link(self, upstream_id: str) -> str:
        return f"https://console.apify.com/view/runs/{upstream_id}" if ID.fullmatch(upstream_id) else ""

    def _list(self, path: tuple[str, ...], number: int, **params: Any) -> list[Any]:
        params = {"desc": True, "limit": LIST_PAGE, "offset": number * LIST_PAGE} | params
        return self._read(lambda http: entries(http.ask("GET", *path, params=params).json()))

    def _page(self, place: tuple[str, ...], offset: int, limit: int) -> Page | None:
        """One page; None if it is too large. One item that is too large alone is represented by its beginning."""
        params = {"offset": offset, "limit": limit}
        answer = self._read(lambda http: http.ask_any_size("GET", *place, params=params), timeout=PAGE_TIMEOUT)
        try:
            if isinstance(answer, TooLarge):
                raise answer
            items = answer.json()
        except (TooLarge, TooDeep) as error:
            if limit > 1:
                return None
            return Page(offset, offset + 1, [unread_item(f"It could not be read: {error}.", answer.content)])
        except ValueError as error:
            raise TransientError("Apify's items could not be read.") from error
        if not isinstance(items, list):
            raise TransientError("Apify's items could not be read: they are not a list.")
        scanned = max(len(items), min(answer.number("x-apify-pagination-count"), limit))
        return Page(offset, offset + scanned, items, answer.content)

    def _read(self, call: Callable[[Http], T], timeout: timedelta = READ_TIMEOUT) -> T:
        """Make a call that is safe to repeat. ItemsGone: Apify has no such record."""
        http = self._http(retries=1, timeout=timeout)
        try:
            return call(http)
        except ApifyApiError as error:
            if error.type in GONE:
                raise ItemsGone("Apify no longer has the items of this run.") from error
            raise _classified(error, http) from error
        except NETWORK as error:
            raise UpstreamDown(f"Apify cannot be reached ({type(error).__name__}).", self.name) from error
        except UNREADABLE as error:
            raise TransientError(f"Apify's answer could not be read: {error}.") from error

    def _http(self, *, retries: int, timeout: timedelta, tag: str = "") -> Http:
        if not settings.APIFY_TOKEN:
            words = "APIFY_TOKEN is not set, so Apify cannot be used. Set it for web and worker, then retry."
            raise CredentialRejected(words, self.name)
        return Http(retries=retries, timeout=timeout, suffix=f"{TAG_MARK}{tag}" if tag else "")

    def _complain(self, words: str) -> None:
        """Log it once per process: it may be met at every poll."""
        if words not in self._complained:
            self._complained.add(words)
            logger.warning(words)


def _path(actor: str) -> str:
    return actor.replace("/", "~")


def _classified(error: ApifyApiError, http: Http) -> RunError:
    """Decide by the error's type, then its message. The status alone decides nothing that costs money."""
    status = error.status_code
    kind = error.type if isinstance(error.type, str) else ""
    words = (error.message if isinstance(error.message, str) else "").strip()[:300]
    if status < 400:
        words = f"Apify answered with a redirect (HTTP {status}), which is refused. Check APIFY_API_URL."
        return PermanentError(words) if error.http_method == "POST" else UpstreamDown(words, "apify")
    if kind in ("invalid-token", "token-not-provided", "user-or-token-not-found"):
        words = "Apify does not accept the token. Set a valid APIFY_TOKEN for web and worker, then retry."
        return CredentialRejected(words, "apify")
    if kind == "actor-memory-limit-exceeded":
        return BlockedError("Apify is full: the account's memory is in use by other runs.", seconds=30)
    if kind == "concurrent-runs-limit-exceeded":
        return BlockedError("Apify is full: the account already has as many concurrent runs as it allows.", seconds=30)
    if kind == "not-enough-usage-to-run-paid-actor":
        return BlockedError(
            "The Apify account has no money left for this run. Add usage there; the run then continues by itself."
            f" Apify says: {words}",
            seconds=600,
        )
    if kind == "platform-feature-disabled" and "usage" in words.lower() and "limit" in words.lower():
        return BlockedError(
            "The Apify account has reached its monthly usage limit. Raise it there; the run then continues by itself."
            f" Apify says: {words}",
            seconds=600,
        )
    if status == 429 or kind in ("rate-limit-exceeded", "too-many-requests"):
        return SlowDown("Apify asked us to slow down.", "apify", http.asked)
    if status >= 500 or status in (408, 409) or (status == 404 and not kind):  # such a 404 is not Apify's own
        return UpstreamDown(f"HTTP {status} from Apify.", "apify")
    return PermanentError(f"Apify refused the request ({kind or status}): {words}")


apify = register_source(Apify())
