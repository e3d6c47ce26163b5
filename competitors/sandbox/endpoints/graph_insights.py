"""Insights of an ad account, at once or by a report that takes its time."""

import base64
import itertools
import secrets
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ..account import Account
from ..graph import errors
from ..graph.insights import Place, Question, rows, touches
from ..graph.nodes import World
from ..graph.performance import Moment
from ..graph.reports import Report
from ..http import Answer, Request
from .graph import account_number, answer, world_of
from .graph_access import token_of


def insights(account: Account, request: Request) -> Answer:
    """``paging.next`` has the token in clear, as Meta's has."""
    world = world_of(account, request)
    if request.captured["id"] in account.reports:
        report = account.reports[request.captured["id"]]
        if account.faults.take("graph_report_gone_once", request.path) is not None:
            raise errors.gone(report.id)
        if not report.is_complete(account.now()):
            raise errors.wrong("The report has no results: it has not completed")
        return _page(account, request, report.question, report.moment, world)
    question, moment = _question(account, request, request.query, world)
    _refuse_too_much(account, request, question, world, moment)
    if _has_bad_field(account, request, question, world, moment):
        raise errors.too_much(1504038)
    return _page(account, request, question, moment, world)


def start(account: Account, request: Request) -> Answer:
    """``POST``: the parameters are a form's."""
    world = world_of(account, request)
    given = request.query | dict(parse_qsl(request.body().decode("utf-8", "replace")))
    question, moment = _question(account, request, given, world)
    now = account.now()
    fails_at = account.faults.take("graph_report_failed", request.path)
    subcode = None
    if _has_bad_field(account, request, question, world, moment):
        fails_at, subcode = 100, 1504038
    report = Report(
        id=f"1210{secrets.randbelow(10**11):011d}",
        question=question,
        moment=moment,
        started=now,
        ends=now + account.config.report_seconds,
        fails_at=fails_at,
        subcode=subcode,
    )
    with account.changed:
        account.reports[report.id] = report
    return answer(account, request, {"report_run_id": report.id})


def _question(account: Account, request: Request, given: dict[str, str], world: World) -> tuple[Question, Moment]:
    number = account_number(request.captured["id"])
    if number is None:
        raise errors.gone(request.captured["id"])
    moment = Moment.of(account.now(), number, world)
    dead = account.faults.peek("graph_dead_field", request.path) or ""
    return Question.of(number, given, moment, dead), moment


def _page(account: Account, request: Request, question: Question, moment: Moment, world: World) -> Answer:
    limit = request.integer("limit", 25)
    found = list(itertools.islice(rows(question, world, moment, _place(request.query.get("after"))), limit + 1))
    page = found[:limit]
    if not page:
        return answer(account, request, {"data": []})
    paging: dict[str, Any] = {"cursors": {"before": _cursor(page[0][0]), "after": _cursor(page[-1][0])}}
    if len(found) > limit:
        query = request.query | {"after": paging["cursors"]["after"], "access_token": token_of(request)}
        paging["next"] = f"{request.base_url}{request.path}?{urlencode(query)}"
    return answer(account, request, {"data": [row for _, row in page], "paging": paging})


def _refuse_too_much(account: Account, request: Request, question: Question, world: World, moment: Moment) -> None:
    """``days:7`` or ``rows:500``, with a code behind it."""
    fault = account.faults.peek("graph_insights_too_large", request.path)
    if fault is None:
        return
    unit, most, code = [*fault.split(":"), "1"][:3]
    if unit == "days":
        asked = (question.until - question.since).days + 1
    else:
        asked = sum(1 for _ in itertools.islice(rows(question, world, moment), int(most) + 1))
    if asked > int(most) and account.faults.take("graph_insights_too_large", request.path) is not None:
        raise errors.too_much(int(code))


def _has_bad_field(account: Account, request: Request, question: Question, world: World, moment: Moment) -> bool:
    """``field:ad`` or ``field:ad:day``; the ad counts from 0. Not used up: it fails for ever."""
    fault = account.faults.peek("graph_field_fails", request.path)
    if fault is None:
        return False
    name, number, day = [*fault.split(":"), ""][:3]
    bad_day = date.fromisoformat(day) if day else None
    return name in question.fields and touches(question, int(number), bad_day, world, moment)


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode("row:{}:{}:{}".format(*place).encode()).decode()


def _place(cursor: str | None) -> Place | None:
    if not cursor:
        return None
    try:
        period, entity, part = map(int, base64.urlsafe_b64decode(cursor).decode().removeprefix("row:").split(":"))
    except ValueError:
        raise errors.wrong("Invalid cursors values") from None
    return period, entity, part
