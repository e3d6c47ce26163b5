"""A run's page, its fragment and its buttons, and what lists say of a run."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.inline import work_off
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Attempt, ConcurrencyLimit, Run, RunLog, UpstreamRun
from pipeline.queries.manager.health import RUNS_SHOWN
from pipeline.queries.run_detail import run_detail
from pipeline.states import RunStatus
from tests.factories import make_brand, make_listing, make_orphan, make_person, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def operator(client):
    client.force_login(make_person("operator", "manager"))
    return client


@pytest.fixture
def viewer(client):
    client.force_login(make_user("viewer", "pipeline.view_run"))
    return client


def queue(brand, **parameters):
    return api.queue_one_time_job(brand.pk, "toy", parameters).run


@pytest.mark.parametrize(
    "path", ["/", "/pipeline/runs/", "/pipeline/runs/1/", "/pipeline/runs/1/live/", "/pipeline/runs/1/log.txt"]
)
def test_nobody_sees_anything_without_signing_in(client, path):
    assert client.get(path)["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", ["/", "/pipeline/runs/", "/pipeline/runs/1/", "/pipeline/runs/1/log.txt"])
def test_who_may_not_view_runs_is_told_so(client, path):
    client.force_login(make_user("stranger"))
    answer = client.get(path)
    assert answer.status_code == 403
    assert b"You don't have access" in answer.content


@pytest.mark.parametrize("action", ["cancel", "retry", "run_now", "run_again", "replay", "accept", "start_again", "adopt"])
def test_a_viewer_can_do_nothing_to_a_run(viewer, brand, action):
    """F18: the action checks the permission, not only the button."""
    run = queue(brand)
    assert viewer.post(f"{run.get_absolute_url()}{action}/").status_code == 403
    run.refresh_from_db()
    assert (run.status, Run.objects.count()) == (RunStatus.PENDING, 1)


def test_a_viewer_is_shown_no_button(viewer, brand):
    assert b"act-cancel" not in viewer.get(queue(brand).get_absolute_url()).content


def test_buttons_act_by_post_only(operator, brand):
    assert operator.get(f"{queue(brand).get_absolute_url()}cancel/").status_code == 405


def test_cancel_then_retry_from_the_page(operator, brand):
    run = queue(brand)
    assert operator.post(f"{run.get_absolute_url()}cancel/").status_code == 303
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    page = operator.post(f"{run.get_absolute_url()}retry/", follow=True).content.decode()
    assert "is queued again" in page


def test_an_action_that_no_longer_fits_is_refused_in_words(operator, brand):
    run = queue(brand)
    work_off()
    page = operator.post(f"{run.get_absolute_url()}cancel/", follow=True).content.decode()
    assert f"Run {run.pk} is completed, so it cannot be cancelled." in page


def test_an_action_goes_back_to_where_its_button_was_but_never_to_another_host(operator, brand):
    run = queue(brand)
    assert (
        operator.post(f"{run.get_absolute_url()}run_now/", {"next": "/pipeline/runs/?status=pending"})["Location"]
        == "/pipeline/runs/?status=pending"
    )
    assert (
        operator.post(f"{run.get_absolute_url()}run_now/", {"next": "https://evil.example/"})["Location"]
        == run.get_absolute_url()
    )


def test_a_failed_run_says_what_and_what_now(operator, brand):
    run = queue(brand, ends="permanent")
    work_off()
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "There is no such toy." in page
    assert "press Retry" in page
    assert "act-retry" in page


@pytest.mark.parametrize(("ends", "words"), [("permanent", "Try 1 of 4."), ("transient", "Try 4 of 4.")])
def test_a_failed_run_says_which_try_was_its_last(operator, brand, ends, words):
    run = queue(brand, ends=ends)
    for _ in range(4):
        work_off()
        Run.objects.filter(status="pending").update(due_at=timezone.now(), order_at=timezone.now())
    assert Run.objects.get().status == RunStatus.FAILED
    assert words in operator.get(run.get_absolute_url()).content.decode()


def test_a_retry_says_which_try_and_why(operator, brand):
    run = queue(brand, ends="transient")
    work_off()
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "Try 2 of 4 in 4 min. Last error: The toy shop was closed." in page
    assert "Will retry" in page


def test_waiting_for_a_limit_does_not_count_as_time_upstream(brand):
    run = queue(brand, ends="blocked")
    work_off()
    Attempt.objects.update(started_at=F("started_at") - timedelta(hours=9), ended_at=F("ended_at") - timedelta(hours=9))
    run.refresh_from_db()
    detail = run_detail(run)
    assert detail.at_upstream == 0
    assert detail.in_queue > 8 * 3600


def test_a_run_that_started_nothing_cost_nothing_and_says_what_it_would_cost_again(operator):
    listing = make_listing()
    run = api.queue_one_time_job(
        listing.competitor.brand_id, "amazon_review_scrape", {"competitor_amazon_url_id": str(listing.pk)}
    ).run
    assert "≈ $0.93" in operator.get("/pipeline/runs/").content.decode()
    api.cancel(run, None)
    assert "≈ $0.93" not in operator.get("/pipeline/runs/").content.decode()
    assert "Run again, ≈ $0.93" in operator.get(run.get_absolute_url()).content.decode()


def test_a_run_that_was_cancelled_midway_says_what_all_of_it_would_cost_again():
    run = make_orphan()
    Run.objects.filter(pk=run.pk).update(status="cancelled", cost_estimate="0.33", cost_actual="0.10")
    run.refresh_from_db()
    assert (run_detail(run).again, run_detail(run).row.cost) == (Decimal("0.18"), Decimal("0.10")), "by today's estimate"


def test_a_cancel_between_two_tries_does_not_say_that_nothing_was_started(brand):
    run = queue(brand, ends="transient")
    work_off()
    api.cancel(run, None)
    run.refresh_from_db()
    assert run.summary == "Cancelled before its next try."


def test_a_traceback_is_for_engineers_only(client, brand):
    run = queue(brand, ends="bug")
    work_off()
    for permissions, shown in ((["pipeline.view_run"], False), (["pipeline.view_run", "pipeline.replay_run"], True)):
        client.force_login(make_user(f"user {shown}", *permissions))
        assert (b"Traceback" in client.get(run.get_absolute_url()).content) is shown


def test_the_fragment_asks_again_only_while_the_run_is_live(operator, brand):
    run = queue(brand)
    assert b"hx-get" in operator.get(f"{run.get_absolute_url()}live/").content
    work_off()
    assert b"hx-trigger" not in operator.get(f"{run.get_absolute_url()}live/").content


def test_the_fragment_is_304_while_nothing_changed(operator, brand):
    run = queue(brand)
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(hours=2))
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(hours=3))
    first = operator.get(f"{run.get_absolute_url()}live/").content.decode()
    seen = first.split("seen=")[1].split("&")[0]
    assert operator.get(f"{run.get_absolute_url()}live/", {"seen": seen}).status_code == 304


def test_the_fragment_costs_few_queries(operator, brand, django_assert_max_num_queries):
    run = queue(brand)
    with django_assert_max_num_queries(22):
        operator.get(f"{run.get_absolute_url()}live/")


def test_the_log_is_filtered_and_downloaded_whole(operator, brand):
    run = queue(brand, ends="permanent")
    work_off()
    page = operator.get(run.get_absolute_url(), {"find": "nothing like this"}).content.decode()
    assert "No lines match." in page
    assert "There is no such toy." in operator.get(f"{run.get_absolute_url()}log.txt").content.decode()


@pytest.mark.parametrize("words", ["äpfel", "APFEL"])
def test_the_log_is_searched_whatever_case_and_accents(operator, brand, words):
    run = queue(brand)
    for seq, message in ((901, "3 ÄPFEL"), (902, "Birnen")):
        RunLog.objects.create(run=run, seq=seq, at=timezone.now(), message=message)
    page = operator.get(run.get_absolute_url(), {"find": words}).content.decode()
    assert "3 ÄPFEL" in page
    assert "Birnen" not in page


def test_what_an_upstream_wrote_is_never_markup(operator, brand):
    run = queue(brand, name="<b>evil</b>")
    assert b"<b>evil" not in operator.get(run.get_absolute_url()).content


def test_the_overview_counts_what_runs_is_stale_and_failed(operator, brand):
    queue(brand, name="one", ends="permanent")
    work_off()
    queue(brand, name="two")
    page = operator.get("/").content.decode()
    assert "<strong>1 thing needs you.</strong> 1 of 1 need refreshing. 1 waiting." in page
    assert "There is no such toy" in page


def test_the_overview_shows_what_has_begun_before_what_has_not(operator, brand):
    queue(brand, name="at work")
    running, _ = claim(register_worker())
    for number in range(RUNS_SHOWN):
        queue(brand, name=f"queued {number}")
    assert running in [run for run, _ in operator.get("/").context["health"].under_way]


def test_a_list_of_runs_that_wait_for_one_limit_reads_its_users_once(operator, brand):
    ConcurrencyLimit.objects.create(job_type="toy", max_running=1)
    queue(brand, name="at work")
    claim(register_worker())
    asked = []
    for count in (2, 20):
        for number in range(count):
            queue(brand, name=f"{count} {number}")
        with CaptureQueriesContext(connection) as queries:
            page = operator.get("/pipeline/runs/").content.decode()
        assert "The limit for Toy is reached: 1 of 1 running (run" in page
        asked.append(len(queries))
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("due_in", "ordered_in", "words"),
    [
        (0, 0, "Apify is done. Saving starts when a worker is free."),
        (0, -60, "Continues when a worker is free."),  # due to ask for itself: Apify may still be running
        (60, -60, "Apify: 170 of 400 (0 s)."),
    ],
)
def test_a_run_at_its_upstream_says_its_progress(operator, due_in, ordered_in, words):
    run, now = make_orphan(), timezone.now()
    register_worker()
    run.upstream_runs.update(message="170 of 400.")
    times = {"due_at": now + timedelta(seconds=due_in), "order_at": now + timedelta(seconds=ordered_in)}
    Run.objects.filter(pk=run.pk).update(status="waiting", completed_at=None, error_message="", **times)
    assert words in operator.get(run.get_absolute_url()).content.decode()


def test_the_theme_is_kept(operator):
    operator.post("/theme/", {"theme": "dark", "next": "/"})
    assert b'data-theme="dark"' in operator.get("/").content


def test_every_page_forbids_inline_script_and_foreign_hosts(operator, brand):
    policy = operator.get("/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_a_run_without_an_upstream_names_no_data_source(operator, brand):
    run = queue(brand, sleeps=60)
    work_off()
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "data source" not in page
    assert "Waiting between steps" in page


def failed_with_upstream(brand, status):
    run = queue(brand, ends="permanent")
    work_off()
    at = timezone.now()
    known = {
        "run": run,
        "step": "start",
        "source": "apify",
        "actor": "a",
        "intent": 1,
        "tag": "t",
        "fingerprint": "f",
        "status": status,
    }
    figures = {"cost_estimate": 1, "cost_cap": 2, "max_items": 10}
    UpstreamRun.objects.create(**known, **figures, intent_at=at, deadline=at)
    return run


def test_a_start_in_doubt_can_be_adopted_or_started_again(operator, brand):
    """F6: unknown is a state of its own, and a person decides."""
    run = failed_with_upstream(brand, "unknown")
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "ID of the run at the data source" in page
    assert "act-start_again" in page
    operator.post(f"{run.get_absolute_url()}adopt/", {"upstream_id": "HG7ML7M8z78YcAPEB"})
    run.refresh_from_db()
    assert (run.status, run.upstream_runs.get().upstream_id) == (RunStatus.PENDING, "HG7ML7M8z78YcAPEB")


@pytest.mark.parametrize("status", ["intent", "unknown"])
def test_a_failed_run_with_a_start_in_doubt_is_shown_and_can_be_retried(operator, brand, status):
    """For example after five crashes between request and answer: the paid run may be running and cost money."""
    run = failed_with_upstream(brand, status)
    overview = operator.get("/").content.decode()
    assert f"It is not known what run {run.pk} started at Apify" in overview
    assert run.get_absolute_url() in overview
    assert "act-retry" in operator.get(run.get_absolute_url()).content.decode()


def test_dead_starts_are_paid_for_again_only_by_a_button_that_says_so(operator, brand):
    run = failed_with_upstream(brand, "timed_out")
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "act-start_again" in page
    assert "act-retry" not in page
    operator.post(f"{run.get_absolute_url()}start_again/")
    assert run.events.get(kind="start_again").by.username == "operator"


def test_an_upstream_run_that_outlives_its_run_is_shown_and_can_be_stopped(operator, client):
    run = make_orphan()
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "Apify run HG7ML7M8z78YcAPEB was still running" in page
    assert "act-retry" in page
    assert "act-end_upstream" in page
    assert run.get_absolute_url() in operator.get("/").content.decode()
    operator.post(f"{run.get_absolute_url()}end_upstream/")
    run.refresh_from_db()
    assert (run.status, run.cancel_requested_by.username) == (RunStatus.PENDING, "operator")
    answer = operator.post(f"{run.get_absolute_url()}end_upstream/", follow=True).content.decode()
    assert f"Run {run.pk} is queued, so it cannot be retried." in answer
    assert "asked to stop" in operator.get(run.get_absolute_url()).content.decode()
