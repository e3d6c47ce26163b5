"""What the engine needs of an upstream's client code, and of a source: one that is paid per run. And the registers of both.

Only a source knows its upstream's protocol: it turns answers into the values below and failures into the errors of
`errors.py`. The engine decides what to do with them. Sources live in apps (`upstream` modules) and are imported at start.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, Protocol


def cents(amount: Decimal) -> Decimal:
    """USD in whole cents, rounded up, so that a limit never cuts what it must allow."""
    return amount.quantize(Decimal("0.01"), rounding=ROUND_CEILING)


@dataclass(frozen=True)
class Order:
    """One paid start, fully described. Two equal orders have the same fingerprint."""

    source: str
    actor: str
    input: dict[str, Any]
    memory_mb: int
    timeout: timedelta
    max_items: int
    max_cost_usd: Decimal
    estimate_usd: Decimal
    price_per_item_usd: Decimal  # the cost if the upstream reports none
    # Equal for orders of the same data, whoever asks (JobType.contains compares their options). '': never shared
    reuse_key: str = ""


@dataclass(frozen=True)
class Seen:
    """An upstream run as the upstream shows it now."""

    id: str
    state: str  # running | succeeded | failed | timed_out | aborted | gone
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cost_usd: Decimal | None = None
    message: str = ""
    items: int | None = None
    tag: str = ""  # the intent's tag, if the upstream kept our user agent
    extra: dict[str, Any] = field(default_factory=dict)  # what the source needs to read items (a dataset id)

    @property
    def ended(self) -> bool:
        return self.state != "running"


@dataclass(frozen=True)
class Page:
    """Some raw items, and the offset of the next page (in the upstream's stored rows, not in items)."""

    offset: int
    next_offset: int
    items: list[Any]
    raw: bytes = b""  # the answer as it came, a JSON list; without it the items are kept


UNREAD = "(not read)"  # the key of what stands for an item that cannot be read
COPIED = 1000  # characters of it that are kept


def unread_item(reason: str, content: bytes) -> dict[str, str]:
    """Stands for one item that cannot be read. It is counted and kept as rejected, with its beginning."""
    return {UNREAD: reason, "beginning": content[: 4 * COPIED].decode(errors="replace")[:COPIED]}


@dataclass(frozen=True)
class Price:
    """What one item costs from then on, USD. None: nothing per item, or in a way that we cannot read."""

    since: datetime
    usd: Decimal | None


@dataclass(frozen=True)
class Offer:
    """What the upstream says of an actor: its prices in the order of time, also announced ones, and a warning for people."""

    prices: list[Price] = field(default_factory=list)
    warning: str = ""


class Upstream(Protocol):
    """Methods raise only errors of `errors.py`, and put no secret into a message."""

    name: str  # in the database: "apify"
    label: str  # on pages: "Apify"

    def probe(self) -> None:
        """One cheap request. Raises what every other one would raise now."""


class Source(Upstream, Protocol):
    id_pattern: re.Pattern[str]  # of its runs' whole ids; anything else is not an id, whoever says so

    def start(self, order: Order, tag: str) -> Seen:
        """Send the paid start once. AmbiguousStart if it is unclear whether the run started."""

    def read_run(self, upstream_id: str) -> Seen:
        """The run as it is now; state 'gone' if the upstream no longer knows it."""

    def candidates(self, order: Order, since: datetime) -> Iterator[Seen]:
        """The upstream's runs of this actor started since then, newest first, each with its tag if it has one."""

    def has_input(self, seen: Seen, order: Order) -> bool:
        """Whether that run was started with the order's input (one more request)."""

    def pages(self, seen: Seen, offset: int) -> Iterator[Page]:
        """Stored items from `offset` on, page by page. ItemsGone if the upstream no longer has them."""

    def abort(self, upstream_id: str) -> Seen:
        """Ask the upstream to stop the run; harmless if it has ended."""

    def ended_since(self, since: datetime) -> Iterator[str]:
        """The ids of the account's runs that ended since then, in a few cheap requests for all waiting runs."""

    def offer(self, actor: str) -> Offer:
        """What the actor costs now and from announced times on."""

    def link(self, upstream_id: str) -> str:
        """The address where a person sees the run, '' if there is none."""


_upstreams: dict[str, Upstream] = {}
_sources: dict[str, Source] = {}
_rounds: list[Callable[[], None]] = []


def register_upstream(upstream: Upstream) -> None:
    """Make an upstream that costs nothing known by its name. Called at import by the app's upstream module."""
    _upstreams[upstream.name] = upstream


def register_source(source: Source) -> Source:
    """The same for one that is paid per run."""
    register_upstream(source)
    _sources[source.name] = source
    return source


def register_round(work: Callable[[], None]) -> Callable[[], None]:
    """Have something about an upstream looked after: every worker calls it every few seconds or minutes, between runs and beside
    them. It finds out itself whether anything is due and whether it has the turn, and it must be short.
    """
    _rounds.append(work)
    return work


def rounds() -> list[Callable[[], None]]:
    return list(_rounds)


def get_upstream(name: str) -> Upstream:
    return _upstreams[name]


def get_source(name: str) -> Source:
    return _sources[name]


def source_label(name: str) -> str:
    """The label for pages, also of an upstream whose code is gone."""
    return _upstreams[name].label if name in _upstreams else name


def known_upstreams() -> list[Upstream]:
    return list(_upstreams.values())


def known_sources() -> list[Source]:
    return list(_sources.values())
