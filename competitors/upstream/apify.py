"""Apify as a source of the engine: apify-client does the HTTP, this file translates its answers and errors."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import impit
from apify_client import ApifyClient
from apify_client.errors import ApifyApiError, ApifyClientError, NotFoundError
from apify_client.http_clients import ImpitHttpClient
from django.conf import settings
from pydantic import ValidationError

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
from pipeline.contract.source import Order, Page, Seen, register_source

T = TypeVar("T")
PAGE_ITEMS = 1000
LIST_PAGE = 1000
LIST_PAGES = 12  # read per call; an end beyond these 12,000 runs is found by the run's own slower check
READ_TIMEOUT, PAGE_TIMEOUT = timedelta(seconds=10), timedelta(seconds=30)
TAG_MARK = "controlplane/"
# Apify's terminal statuses. Any other status, known or new, means that the run is not over.
ENDS = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED-OUT": "timed_out", "ABORTED": "aborted"}
NETWORK = (impit.HTTPError, OSError)
UNREADABLE = (ApifyClientError, ValidationError, ValueError, KeyError)


class RetryAfterClient(ImpitHttpClient):
    """Remembers the Retry-After of the last 429: apify-client ignores it."""

    asked: float | None = None

    def send_request(self, **request: Any) -> Any:
        response = super().send_request(**request)
        if response.status_code == 429:
            self.asked = _seconds(response.headers.get("retry-after"))
        return response


class Apify:
    """Implements pipeline.contract.Source. Settings are read at each call, so that a changed token takes effect."""

    name, label = "apify", "Apify"

    def start(self, order: Order, tag: str) -> Seen:
        client = self._client(retries=0, timeout=timedelta(seconds=settings.PIPELINE_START_SECONDS), tag=tag)
        try:
            run = client.actor(order.actor).start(
                run_input=order.input,
                memory_mbytes=order.memory_mb,
                run_timeout=order.timeout,
                max_items=order.max_items,
                max_total_charge_usd=order.max_cost_usd,
            )
        except ApifyApiError as error:
            if error.status_code >= 500 or error.status_code == 408:
                raise AmbiguousStart(f"HTTP {error.status_code} from Apify.") from error
            raise _classified(error, client) from error
        except NETWORK as error:
            raise AmbiguousStart(f"The connection to Apify broke ({type(error).__name__}).") from error
        except UNREADABLE as error:
            raise AmbiguousStart("Apify's answer could not be read.") from error
        return _seen(run)

    def read_run(self, upstream_id: str) -> Seen:
        run = self._read(lambda client: client.run(upstream_id).get())
        return _seen(run) if run else Seen(id=upstream_id, state="gone", message="Apify no longer knows this run.")

    def candidates(self, order: Order, since: datetime) -> Iterator[Seen]:
        for number in range(LIST_PAGES):
            page = self._read(
                lambda client, n=number: (
                    client.actor(order.actor)
                    .runs()
                    .list(  # type: ignore[misc]
                        desc=True, started_after=since, limit=LIST_PAGE, offset=n * LIST_PAGE
                    )
                )
            )
            yield from map(_seen, page.items)
            if len(page.items) < LIST_PAGE:
                return
        # Ours may be among the unread runs. Reporting none would start it, and pay for it, again.
        raise TransientError("Apify lists more runs of this actor than can be read.")

    def has_input(self, seen: Seen, order: Order) -> bool:
        record = self._read(lambda client: client.key_value_store(seen.extra["store"]).get_record("INPUT"))
        return record is not None and bool(record["value"] == order.input)  # another caller's may be of any type, say bytes

    def pages(self, seen: Seen, offset: int) -> Iterator[Page]:
        """Read until a page has no stored rows: an itemCount read just after the end may be too small."""
        dataset = seen.extra.get("dataset")
        while dataset:
            page = self._read(
                lambda client, at=offset: _items(client, dataset, at),  # type: ignore[misc]
                timeout=PAGE_TIMEOUT,
            )
            scanned = max(page.count, len(page.items))
            if not scanned:
                return
            yield Page(offset, offset + scanned, page.items)
            offset += scanned

    def abort(self, upstream_id: str) -> Seen:
        return _seen(self._read(lambda client: client.run(upstream_id).abort()))

    def ended_since(self, since: datetime) -> Iterator[str]:
        for number in range(LIST_PAGES):
            page = self._read(
                lambda client, n=number: client.runs().list(  # type: ignore[misc]
                    desc=True, status=list(ENDS), started_after=since, limit=LIST_PAGE, offset=n * LIST_PAGE
                )
            )
            yield from [run.id for run in page.items]
            if len(page.items) < LIST_PAGE:
                return

    def link(self, upstream_id: str) -> str:
        return f"https://console.apify.com/view/runs/{upstream_id}"

    def _read(self, call: Callable[[ApifyClient], T], timeout: timedelta = READ_TIMEOUT) -> T:
        """Make a call that is safe to repeat."""
        client = self._client(retries=1, timeout=timeout)
        try:
            return call(client)
        except ApifyApiError as error:
            raise _classified(error, client) from error
        except NETWORK as error:
            raise UpstreamDown(f"Apify cannot be reached ({type(error).__name__}).", self.name) from error
        except UNREADABLE as error:
            raise TransientError(f"Apify's answer could not be read ({type(error).__name__}).") from error

    def _client(self, *, retries: int, timeout: timedelta, tag: str = "") -> ApifyClient:
        if not settings.APIFY_TOKEN:
            words = "APIFY_TOKEN is not set, so Apify cannot be used. Set it for web and worker, then retry."
            raise CredentialRejected(words, self.name)
        http = RetryAfterClient(
            max_retries=retries,
            timeout_short=timeout,
            timeout_medium=timeout,
            timeout_long=timeout,
            timeout_max=timeout,
            user_agent_suffix=f"{TAG_MARK}{tag}" if tag else None,
        )
        return ApifyClient.with_custom_http_client(settings.APIFY_TOKEN, api_url=settings.APIFY_API_URL, http_client=http)


def _items(client: ApifyClient, dataset: str, offset: int) -> Any:
    try:
        return client.dataset(dataset).list_items(offset=offset, limit=PAGE_ITEMS)
    except NotFoundError as error:
        if error.type != "record-not-found":  # this 404 is not Apify's own
            raise
        raise ItemsGone("Apify no longer has the items of this run.") from error


def _seen(run: Any) -> Seen:
    """Translate a full run object or an entry of a run list."""
    cost = getattr(run, "usage_total_usd", None)
    agent = (run.meta.user_agent if run.meta else None) or ""
    return Seen(
        id=run.id,
        state=ENDS.get(str(getattr(run.status, "value", run.status)), "running"),
        started_at=run.started_at,
        finished_at=run.finished_at,
        cost_usd=None if cost is None else Decimal(str(cost)),
        message=getattr(run, "status_message", None) or "",
        tag=agent.rpartition(TAG_MARK)[2].split(";")[0].strip() if TAG_MARK in agent else "",
        extra={"dataset": run.default_dataset_id, "store": run.default_key_value_store_id},
    )


def _seconds(retry_after: str | None) -> float | None:
    """The seconds of a Retry-After that is a number or a date; None if it is missing or unreadable."""
    try:
        return float(retry_after or "")
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(retry_after or "") - datetime.now(UTC)).total_seconds(), 0)
    except (TypeError, ValueError):
        return None


def _classified(error: ApifyApiError, client: ApifyClient) -> RunError:
    """Decide by the error's type, then its message. The status alone decides nothing that costs money."""
    kind, words = error.type or "", (error.message or "").strip()[:300]
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
    if error.status_code == 429 or kind in ("rate-limit-exceeded", "too-many-requests"):
        return SlowDown("Apify asked us to slow down.", "apify", getattr(client.http_client, "asked", None))
    if error.status_code >= 500 or error.status_code in (408, 409):
        return UpstreamDown(f"HTTP {error.status_code} from Apify.", "apify")
    return PermanentError(f"Apify refused the request ({kind or error.status_code}): {words}")


apify = register_source(Apify())
