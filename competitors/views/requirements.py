"""What pages need to be right: which data, how old it may be, and which job fixes that. One registry, and one banner.

A page of subjects is registered with its addresses (`subjects.views.urls`), any other page by `require`. The context that `shown`
or `of_rows` answers is for competitors/_banner.html.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from pipeline import queries
from pipeline.contract import NeededBy, get_type, register_page
from pipeline.queries import FreeData, SubjectState

from .subjects.page import SubjectPage

REQUIREMENTS: dict[str, "Requirement"] = {}  # by the name of the page's address


@dataclass(frozen=True)
class Requirement:
    job_type: str  # the job that fixes it
    dataset: str
    noun: str  # what one of its subjects is called
    verb: str  # of the button
    max_age: timedelta
    act: str = "Scrape"  # the verb's first word
    page: SubjectPage[Any] | None = None  # scrapes its subjects

    @classmethod
    def of(cls, page: SubjectPage[Any]) -> "Requirement":
        handler = get_type(page.job_type)
        return cls(page.job_type, next(iter(handler.datasets)), page.noun, page.verb, handler.max_age, page.act, page)

    @property
    def label(self) -> str:
        """What people call the data."""
        return get_type(self.job_type).datasets[self.dataset]


@dataclass(frozen=True)
class Fix:
    """What the banner's button does for the subject that the banner speaks of: a POST to `url` starts its scrape."""

    label: str
    url: str
    back: str = "/"  # where to go on after an action on a run
    fields: Mapping[str, Any] = field(default_factory=dict)
    free: FreeData | None = None


def require(url_name: str, requirement: Requirement, title: str) -> None:
    """`title`: what the page is called where its data is listed with what needs it."""
    REQUIREMENTS[url_name] = requirement
    page = requirement.page
    # The page of a job type's subjects shows all that the type fetches; its banner speaks of the first.
    own = page is not None and page.url_name == url_name
    for dataset in get_type(requirement.job_type).datasets if own else [requirement.dataset]:
        register_page(dataset, NeededBy(title, url_name))


def shown(url_name: str, subjects: Sequence[SubjectState], fixes: Mapping[str, Fix], *, add_at: str = "") -> dict[str, Any]:
    """The banner for these subjects, None while all are fresh and well. `fixes`: by the subject's key.

    `add_at`: where the first subject is added, for a page that has none and does not say so itself.
    """
    needed = REQUIREMENTS[url_name]
    if not subjects and add_at:
        banner: queries.Banner | None = queries.no_subject(needed.label, needed.noun)
        return {"banner": banner, "fix": Fix(needed.noun, add_at), "requirement": needed}
    banner = queries.banner(needed.label, subjects, noun=needed.noun, verb=needed.verb)
    return {"banner": banner, "fix": fixes.get(banner.subject) if banner else None, "requirement": needed}


def of_rows(request: HttpRequest, url_name: str, place: Mapping[str, Any], rows: Sequence[Any]) -> dict[str, Any]:
    """The banner of a page about rows that another page scrapes. While they are fresh and well, it takes one query."""
    needed, user = REQUIREMENTS[url_name], request.user
    page, brand = needed.page, place["brand"]
    assert page is not None
    if page.closed(place):
        return {"banner": None}
    keys = {page.key(row): row for row in rows}
    fresh = queries.freshness(needed.dataset, brand.pk, list(keys), max_age=needed.max_age)
    states = [SubjectState(key, page.label(row), fresh[key]) for key, row in keys.items()]
    if any(state.trouble for state in states):
        states = _with_live_and_price(needed, page, brand.pk, keys, states, user)
    address = page.address(place)
    fixes = {
        key: Fix(
            page.label(row),
            reverse(f"{page.url_name}_scrape", kwargs=address | {"pk": row.pk}),
            page.url(row),
            {name: value for name, value in page.defaults(row).items() if name in page.options(row)},
        )
        for key, row in keys.items()
    }
    return shown(url_name, states, fixes, add_at=reverse(page.url_name, kwargs=address)) | {
        "may_scrape": user.has_perm(page.may_scrape),
        "may_run_now": user.has_perm("pipeline.scrape_run"),
        "legacy": bool(request.session.get(page.legacy_key)),
    }


def _with_live_and_price(
    needed: Requirement,
    page: SubjectPage[Any],
    brand_id: Any,
    rows: Mapping[str, Any],
    states: Sequence[SubjectState],
    user: Any,
) -> list[SubjectState]:
    live = queries.live_rows(needed.job_type, brand_id, list(rows), user=user, known={})
    good = queries.good_runs(needed.job_type, brand_id, {key: page.about(row) for key, row in rows.items()})
    price = queries.price_now(needed.job_type).usd
    found = []
    for state in states:
        row = rows[state.key]
        estimate = page.estimate(row, page.defaults(row), good[state.key], price)
        found.append(replace(state, live=live.get(state.key), price=estimate.cost_usd if estimate else None))
    return found
