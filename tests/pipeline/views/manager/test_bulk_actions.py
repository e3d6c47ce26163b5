"""Bulk actions as people meet them: offered beside a filter, read before the click, followed, aborted, and found again."""

import re
from decimal import Decimal
from html import unescape

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api
from pipeline.engine.queue.asked import bulk_actions
from pipeline.engine.workers.processes import register_worker
from pipeline.models import BulkAction, DayTotal, Run, UpstreamRun
from pipeline.people import limit_to
from tests.factories import make_brand, make_person, make_upstream
from tests.toy.job import Toy

pytestmark = pytest.mark.django_db(transaction=True)
HISTORY, RETRY, CANCEL = "/pipeline/runs/", "/pipeline/runs/bulk/retry/", "/pipeline/runs/bulk/cancel/"
RUN_NOW = "/pipeline/runs/bulk/run-now/"


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def anna():
    return make_person("anna", "operator")


@pytest.fixture
def operator(client, anna):
    client.force_login(anna)
    return client


def failed(brand, name, usd=None):
    run = api.queue_one_time_job(brand.pk, "toy", {"name": name}).run
    ended = {"status": "failed", "completed_at": timezone.now(), "error_message": "It broke."}
    Run.objects.filter(pk=run.pk).update(cost_estimate=usd, **ended)
    return run


def words(answer):
    body = re.sub(r"<(head|nav class=\"crumbs\"|footer).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(body))


def signed(answer):
    return {"signed": re.search(r'name="signed" value="([^"]+)"', answer.content.decode())[1]}


def test_many_runs_are_retried_after_a_page_that_says_which_and_what_it_costs(operator, brand, settings):
    runs = [failed(brand, f"toy {number}", Decimal("0.20")) for number in range(17)]
    failed(make_brand("Other"), "bear")
    ask = {"status": "failed", "brand": "acme"}
    assert "bulk-retry" not in operator.get(HISTORY).content.decode(), "nothing is offered for all runs there are"
    assert "Retry 17 failed runs, about $3.40" in words(operator.get(HISTORY, ask))
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = Decimal(1)
    before = operator.get(RETRY, ask)
    said = words(before)
    for part in (
        "Retry 17 failed runs? About $3.40 at most",
        "Over what is left of today's spend limit of $1.00.",
        "Filter: Brand: Acme. Status: Failed.",
        "The oldest 10 of 17 runs",
        f"Run {runs[0].pk} ",
        "No worker",
    ):
        assert part in said, part
    assert f"Run {runs[10].pk} " not in said
    later = failed(brand, "later")
    first = operator.post(RETRY, signed(before))
    again = operator.post(RETRY, signed(before), follow=True)
    action = BulkAction.objects.get()
    assert first["Location"] == action.get_absolute_url()
    assert "was started already. Nothing is done twice." in words(again)
    assert "0 of 17 done. " in words(again)
    assert "This bulk action goes on when one starts." in words(again), "no worker is alive"
    assert (action.count, action.cost, action.requested_by.username) == (17, Decimal("3.40"), "anna")
    live = f"{action.get_absolute_url()}live/"
    seen = re.search(r"seen=(\w+)&", operator.get(live).content.decode())[1]
    assert operator.get(live, {"seen": seen, "page": 1}).status_code == 304
    register_worker()
    Run.objects.filter(pk=runs[0].pk).update(status="cancelled")
    bulk_actions.advance()
    assert operator.get(live, {"seen": seen, "page": 1}).status_code == 200
    done = operator.get(action.get_absolute_url())
    assert "16 of 17 done, 1 skipped." in words(done)
    assert f"Run {runs[0].pk} is cancelled by now. The filter found it failed." in words(done)
    assert "hx-trigger" not in done.content.decode(), "it polls no more"
    assert 'id="abort"' not in done.content.decode()
    assert Run.objects.get(pk=later.pk).status == "failed"
    past = words(operator.get("/pipeline/bulk/"))
    assert f"{action.pk}: Retry 17 runs Completed Brand: Acme. Status: Failed. anna" in past
    assert "/pipeline/bulk/" in operator.get(HISTORY).content.decode()


def test_a_cancel_says_what_it_saves_and_is_aborted_by_a_button(operator, brand, monkeypatch):
    monkeypatch.setattr(bulk_actions, "SLICE", 0)
    runs = [api.queue_one_time_job(brand.pk, "toy", {"name": name}).run for name in ("owl", "fox")]
    Run.objects.update(cost_estimate=Decimal(2))
    upstream = make_upstream(runs[0])
    UpstreamRun.objects.filter(pk=upstream.pk).update(cost_actual=Decimal("0.50"))
    before = operator.get(CANCEL, {"brand": "acme"})
    assert "Cancel 2 live runs? This saves up to $3.50." in words(before)
    action = BulkAction.objects.get(pk=operator.post(CANCEL, signed(before))["Location"].split("/")[-2])
    bulk_actions.advance()
    assert 'id="abort"' in operator.get(action.get_absolute_url()).content.decode()
    answer = operator.post(f"{action.get_absolute_url()}abort/", follow=True)
    assert "Aborted 1 of 2 done, 1 left as they are. Aborted by anna." in words(answer)
    bulk_actions.advance()
    assert Run.objects.get(pk=runs[1].pk).cancel_requested_at is None
    assert "has ended already" in words(operator.post(f"{action.get_absolute_url()}abort/", follow=True))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({}, "Choose at least one filter first"),
        ({"words": " "}, "Choose at least one filter first"),
        ({"ended_to": "9999-12-31"}, "Choose at least one filter first"),
        ({"status": "failed", "brand": "nobody"}, "Correct the filter first. Brand:"),
        ({"status": "failed"}, "More than 2 runs match. Narrow the filter"),
        ({"status": "completed"}, "None of these runs can be retried."),
    ],
)
def test_no_click_is_offered_where_the_filter_does_not_say_what_is_meant(operator, brand, monkeypatch, query, why):
    monkeypatch.setattr(BulkAction, "MOST", 2)
    for name in ("owl", "fox", "bee"):
        failed(brand, name)
    answer = operator.get(RETRY, query, follow=True)
    assert answer.redirect_chain[0][0].startswith(HISTORY)
    assert why in words(answer)
    assert "bulk-retry" not in operator.get(HISTORY, query).content.decode()


def test_what_is_sent_is_what_was_shown_to_this_person_lately(operator, anna, brand, client, monkeypatch):
    failed(brand, "owl")
    shown = signed(operator.get(RETRY, {"status": "failed"}))
    told = signing.loads(shown["signed"], salt="pipeline.bulk_action")
    forged = signing.dumps(told | {"cost": "0"}, salt="pipeline.bulk_action", key="another key", compress=True)
    stale = timezone.now().timestamp() - 3601
    with monkeypatch.context() as patched:
        patched.setattr(signing.time, "time", lambda: stale)
        old = signing.dumps(told, salt="pipeline.bulk_action", compress=True)
    for sent, address in (({}, RETRY), ({"signed": forged}, RETRY), ({"signed": old}, RETRY), (shown, CANCEL)):
        assert "Nothing was done: that page is too old." in words(operator.post(address, sent, follow=True))
    client.force_login(make_person("ben", "operator"))
    assert "Nothing was done" in words(client.post(RETRY, shown, follow=True))
    assert not BulkAction.objects.exists()
    client.force_login(anna)
    limit_to(anna, [make_brand("Other")])
    assert "There is no such brand for you." in words(client.post(RETRY, shown, follow=True))
    assert not BulkAction.objects.exists()


def test_a_person_with_a_limit_meets_only_runs_and_bulk_actions_of_their_brands(operator, brand, client):
    own, foreign = failed(brand, "owl"), failed(make_brand("Other"), "fox")
    mixed = operator.post(RETRY, signed(operator.get(RETRY, {"status": "failed"})))["Location"]
    client.force_login(make_person("ben", "operator", brand))
    before = client.get(RETRY, {"status": "failed"})
    assert "Retry 1 failed run?" in words(before)
    assert f"Run {own.pk} " in words(before)
    assert f"Run {foreign.pk} " not in words(before)
    mine = client.post(RETRY, signed(before))["Location"]
    assert BulkAction.objects.latest("pk").items.get().number == own.pk
    assert [client.get(address).status_code for address in (mine, mixed, f"{mixed}live/")] == [200, 404, 404]
    assert client.post(f"{mixed}abort/").status_code == 404
    past = client.get("/pipeline/bulk/").content.decode()
    assert mine in past
    assert mixed not in past
    client.force_login(make_person("vera", "viewer"))
    assert "bulk-retry" not in client.get(HISTORY, {"status": "failed"}).content.decode()
    assert client.post(f"{mine}abort/").status_code == 403
    assert [client.get(address).status_code for address in (mixed, RETRY)] == [200, 403]


def test_pages_take_as_many_queries_for_one_run_as_for_many(operator, brand):
    asked = []
    for count in (2, 30):
        for number in range(count):
            failed(brand, f"{count} {number}", Decimal(1))
        register_worker()
        addresses = [f"{HISTORY}?status=failed", f"{RETRY}?status=failed"]
        addresses += [operator.post(RETRY, signed(operator.get(addresses[1])))["Location"], "/pipeline/bulk/"]
        taken = []
        for address in addresses:
            with CaptureQueriesContext(connection) as queries:
                operator.get(address)
            taken.append(len(queries))
        asked.append(taken)
    assert asked[0] == asked[1]
    assert all(number <= most for number, most in zip(asked[0], (26, 17, 12, 9), strict=True)), asked


def test_planned_runs_of_a_paid_type_are_never_called_free(operator, brand, monkeypatch):
    monkeypatch.setattr(Toy, "actor", "toys~all")
    for name in ("owl", "bear"):
        api.ensure_recurring_job(brand.pk, "toy", "0 6 * * 1", {"name": name})
    ask = {"status": "pending"}
    unpriced = words(operator.get(RUN_NOW, ask))
    assert "so the price is not known. All limits hold." in unpriced
    assert "Run 2 queued runs now, price not known yet" in unpriced
    assert "What this saves is not known yet." in words(operator.get(CANCEL, ask))
    assert "free" not in unpriced
    DayTotal.objects.create(day=timezone.localdate(), job_type="toy", good=3, doubted=1, usd=2)
    priced = words(operator.get(RUN_NOW, ask))
    assert "Run 2 queued runs now, about $1.00" in priced
    assert priced.count("≈ $0.50") == 2
    assert "saves up to $1.00" in words(operator.get(HISTORY, ask))
    Run.objects.filter(subject="owl").update(cost_estimate=Decimal("0.20"))
    assert "about $0.70" in words(operator.get(RUN_NOW, ask))
    Run.objects.filter(subject="owl").update(job_type="marble", cost_estimate=None)
    assert "about $0.50" in words(operator.get(RUN_NOW, ask)), "a type without an actor costs nothing"
