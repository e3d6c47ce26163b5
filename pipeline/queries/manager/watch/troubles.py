"""What is wrong now, by the event of a rule, among the brands of its scope. Read from the rows: they are the truth."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils import timezone

from .... import states
from ....contract.registry import internal_names, label_of
from ....contract.site.notices import endings
from ....engine.upstreams.health import closed_sources
from ....models import Brand, FailedRun, Incident, NotificationRule, Outage, Run, Worker
from ....people import Brands
from ....words import clock, counted, days
from ...explain import no_worker_since
from ...freshness import Counts, datasets
from ..days import NEAR, money
from ..needs import doubted, unknown_starts

Event = NotificationRule.Event
LONGER_THAN_A_RESTART = timedelta(minutes=2)
ENDS_WITHIN = timedelta(days=7)
AT_ONCE = 2_000  # finished runs that are read at once
AT_MOST = 200  # of one kind: a rule that finds more tells of these, and ends none of the others
CUT = (Event.FAILED, Event.NEEDS, Event.LATE)  # stale data is counted by brand and kind, whatever number of subjects it is


@dataclass(frozen=True)
class Found:
    """`key`: equal as long as it is the same trouble."""

    key: str
    title: str
    text: str = ""
    url: str = ""


def troubles(event: str, brands: Brands, at: datetime) -> list[Found]:
    """Of these brands alone: other brands are not even counted."""
    return list(_FINDERS[event](brands, at))


def may_be_cut(event: str, found: Collection[Found]) -> bool:
    """Whether there may be more that are not among them."""
    return event in CUT and len(found) >= AT_MOST


def _failed(brands: Brands, at: datetime) -> Iterator[Found]:
    """An incident folds the runs that failed of one cause, and ends when all of them work again."""
    open_ones = FailedRun.objects.filter(brands.q(), over_at=None, incident__state__in=Incident.UNRESOLVED).order_by()
    of_each = open_ones.values_list("incident").annotate(n=Count("pk"), last=Max("pk")).order_by("-incident")[:AT_MOST]
    several = {last: number for _, number, last in of_each}
    for row in FailedRun.objects.filter(pk__in=several).select_related("run__brand").order_by("incident"):
        label, number = label_of(row.job_type), several[row.pk]
        title = f"{label} failed: {_whose(row.run)}" if number == 1 else f"{counted(number, f'{label} run')} failed of one cause"
        url = reverse("incident", args=[row.incident_id])
        yield Found(f"incident {row.incident_id}", title, row.run.error_message, url)


def _needs(brands: Brands, at: datetime) -> Iterator[Found]:
    for need in unknown_starts(brands):
        yield Found(f"start {need.url}", need.title, need.text, need.url)
    for run in doubted(brands, at).select_related("brand").order_by("-pk")[:AT_MOST]:
        yield Found(f"check {run.pk}", f"Run {run.pk} may be incomplete: {_whose(run)}", run.summary, run.get_absolute_url())


def _stale(brands: Brands, at: datetime) -> Iterator[Found]:
    known: dict[UUID | None, Brand | None] = {brand.pk: brand for brand in brands.rows().filter(archived_at=None)}
    if brands.platform:
        known[None] = None
    counts = Counts(known, at)
    stale, named = counts.stale(), defaultdict(list)
    for one in counts.oldest(AT_MOST) if stale else ():
        named[one.brand_id, one.dataset.key].append(one.subject.label)
    for (brand_id, key), number in stale.most_common():
        brand = known[brand_id]
        title = f"{datasets()[key].label} of {brand or 'no single brand'}: {counted(number, 'stale subject')}"
        address = reverse("freshness_cell", args=[brand.slug, key]) if brand else reverse("freshness_platform", args=[key])
        yield Found(f"{key} {brand_id or ''}", title, _first(named[brand_id, key][:number], number), address)


def _late(brands: Brands, at: datetime) -> Iterator[Found]:
    late = Run.objects.live().filter(brands.q(), deadline__lt=at, job_paused=False).select_related("brand").order_by("deadline")
    for run in late[:AT_MOST]:
        title = f"{label_of(run.job_type)} is late: {_whose(run)}"
        needed = f"Its data was needed by {clock(run.deadline)}." if run.deadline else ""
        yield Found(f"run {run.pk}", title, needed, run.get_absolute_url())


def _closed(brands: Brands, at: datetime) -> Iterator[Found]:
    for name, words in closed_sources().items():
        title, text = words.partition(" Next check")[0], "Queued runs continue when it works again."
        yield Found(f"source {name}", title, text, reverse("health"))
    for outage in Outage.objects.filter(ended_at=None):
        yield Found(f"outage {outage.pk}", outage.reason, f"Since {clock(outage.since)}.", reverse("health"))


def _limit(brands: Brands, at: datetime) -> Iterator[Found]:
    now = money(brands, at)
    if now.percent >= NEAR:
        title = f"{now.percent} % of today's spend limit is used"
        text = f"${now.today:,.2f} of ${now.limit:,.2f} is spent or reserved."
        yield Found(f"{timezone.localdate(at)}", title, text, reverse("active"))


def no_worker(at: datetime) -> str | None:
    """What to say when none has been alive for some minutes. None during a restart."""
    _, last = Worker.objects.filter(kind=Worker.Kind.WORKER).seen(at)
    return None if last and at - last < LONGER_THAN_A_RESTART else no_worker_since(at)


def _no_worker(brands: Brands, at: datetime) -> Iterator[Found]:
    if words := no_worker(at):
        yield Found("no worker", "No worker is alive", words, reverse("health"))


def _token(brands: Brands, at: datetime) -> Iterator[Found]:
    """Tokens that end at the same time are one: several things may use it."""
    of: dict[datetime, list[str]] = defaultdict(list)
    text, url = {}, {}
    for one in endings():
        if one.brand_id in brands and one.at - at <= ENDS_WITHIN:
            of[one.at].append(one.title)
            text[one.at], url[one.at] = one.text, one.url
    for ends, names in of.items():
        left = ends - at
        when = f"ends in {days(left)}" if left > timedelta(0) else "has ended"
        yield Found(f"token {ends.isoformat()}", f"The access token of {_first(names, len(names))} {when}", text[ends], url[ends])


_FINDERS: Mapping[str, Callable[[Brands, datetime], Iterator[Found]]] = {
    Event.FAILED: _failed,
    Event.NEEDS: _needs,
    Event.STALE: _stale,
    Event.LATE: _late,
    Event.CLOSED: _closed,
    Event.LIMIT: _limit,
    Event.NO_WORKER: _no_worker,
    Event.TOKEN: _token,
}


def finished_since(brands: Brands, since: datetime) -> Iterator[list[Run]]:
    """Runs that somebody queued and that have ended since then, the oldest first, some at a time."""
    ended = Run.objects.filter(brands.q(), completed_at__gt=since, created_by__isnull=False)
    ours = ended.exclude(job_type__in=internal_names()).select_related("brand", "created_by").order_by("completed_at", "pk")
    some = list(ours[:AT_ONCE])
    while some:
        yield some
        last = some[-1]
        later = Q(completed_at__gt=last.completed_at) | Q(completed_at=last.completed_at, pk__gt=last.pk)
        some = list(ours.filter(later)[:AT_ONCE]) if len(some) == AT_ONCE else []


def finished_words(run: Run) -> str:
    badge = states.run_badge(run.status, verdict=run.verdict)
    return f"Run {run.pk} {badge.word.lower()}: {label_of(run.job_type)}, {_whose(run)}"


def _whose(run: Run) -> str:
    return ", ".join(filter(None, [run.brand.name if run.brand else "", run.subject_label])) or "no single brand"


def _first(names: list[str], number: int, most: int = 3) -> str:
    """The first names of that number; '' where none is known."""
    more = number - len(names[:most])
    return f"{', '.join(names[:most])}{f' and {more} more' if more else ''}" if names else ""
