"""The admin: every list opens, engine rows are read-only, actions check their permission and report what they did."""

import threading
from zoneinfo import ZoneInfo

import pytest
from django.contrib import admin
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from pipeline import api
from pipeline.engine.workers.inline import work_off
from pipeline.models import Brand, ConcurrencyLimit, Event, Job, Pause, Run
from pipeline.queries.explain import explain
from pipeline.states import JobStatus, RunStatus
from tests.factories import make_brand, make_listing, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PIPELINE = [model for model in admin.site._registry if model._meta.app_label in ("pipeline", "competitors")]


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def page(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root", password="pass"))
    return client


@pytest.mark.parametrize("model", PIPELINE, ids=lambda model: model.__name__)
def test_every_model_is_listed_searched_and_filtered(page, brand, model):
    api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"})
    work_off()
    registered = admin.site._registry[model]
    assert registered.search_fields
    answer = page.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), {"q": "1"})
    assert answer.status_code == 200
    for row in model.objects.all()[:1]:
        assert (
            page.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])).status_code == 200
        )


def test_a_search_by_number_finds_that_one_and_other_words_nothing(page, brand):
    runs = [api.queue_one_time_job(brand.pk, "toy", {"name": name}).run for name in ("bear", "hare")]
    for model, wanted in (("run", runs[0].pk), ("job", runs[0].job_id)):
        address = reverse(f"admin:pipeline_{model}_changelist")
        found = page.get(address, {"q": str(wanted)}).context["cl"].result_list
        assert [row.pk for row in found] == [wanted]
        for words in ("no number", "9" * 30):
            assert not page.get(address, {"q": words}).context["cl"].result_list


def test_raw_pages_and_django_q_are_not_shown():
    shown = {model.__name__ for model in admin.site._registry}
    assert not shown & {"RawPage", "OrmQ", "Schedule", "Success", "Failure"}


def test_a_run_cannot_be_edited(page, brand):
    run = api.queue_one_time_job(brand.pk, "toy").run
    address = reverse("admin:pipeline_run_change", args=[run.pk])
    assert page.post(address, {"status": "completed"}).status_code == 403
    assert page.get(reverse("admin:pipeline_run_add")).status_code == 403


def act(client, model, action, *objects):
    address = reverse(f"admin:pipeline_{model}_changelist")
    return client.post(address, {"action": action, "_selected_action": [one.pk for one in objects]}, follow=True)


def test_runs_are_cancelled_and_retried_by_action(page, brand):
    run = api.queue_one_time_job(brand.pk, "toy").run
    assert "Runs being cancelled: 1." in act(page, "run", "cancel", run).content.decode()
    assert "Runs queued again: 1." in act(page, "run", "retry", run).content.decode()
    answer = act(page, "run", "retry", run).content.decode()
    assert f"Run {run.pk} is queued, so it cannot be retried." in answer


def test_an_action_needs_its_own_permission(client, brand):
    user = make_user("clerk", "pipeline.view_run", "pipeline.scrape_run")
    user.is_staff = True
    user.save()
    client.force_login(user)
    run = api.queue_one_time_job(brand.pk, "toy").run
    act(client, "run", "cancel", run)
    run.refresh_from_db()
    assert run.status == RunStatus.PENDING


def test_a_schedule_is_paused_resumed_run_and_archived_by_action(page, brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    for action, status in (("pause", "paused"), ("resume", "active"), ("run_now", "active"), ("archive", "archived")):
        act(page, "job", action, job)
        job.refresh_from_db()
        assert job.status == status
    assert Run.objects.filter(scheduled_for=None).count() == 1


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        ("pause", "pause", "is paused, so it cannot be paused now."),
        ("archive", "resume", "is archived, so it cannot be resumed now."),
        ("archive", "archive", "is archived, so it cannot be archived now."),
        ("archive", "run_now", "is archived, so it cannot be run now."),
    ],
)
def test_an_action_that_does_not_fit_a_schedule_is_refused_in_a_sentence(page, brand, first, then, words):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    act(page, "job", first, job)
    assert words in act(page, "job", then, job).content.decode()


def test_saving_a_schedule_that_was_just_archived_says_why_not(page, client, brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", name="Nightly")
    api.archive(job, None)
    change = reverse("admin:pipeline_job_change", args=[job.pk])
    answer = page.post(change, form(cron_expression="0 4 * * *", parameter_name="bear"), follow=True)
    assert answer.redirect_chain == [(change, 302)]
    assert "Nightly is archived and can no longer be changed. Not saved." in answer.content.decode()
    client.force_login(make_user("looker", "pipeline.view_job"))
    assert client.post(change, form(cron_expression="0 4 * * *")).status_code in (302, 403)
    job.refresh_from_db()
    assert job.cron_expression == "0 3 * * *"


def test_adding_a_job_first_asks_for_its_type(page):
    answer = page.get(reverse("admin:pipeline_job_add")).content.decode()
    assert "?job_type=toy" in answer
    assert "?job_type=amazon_review_scrape" in answer


def form(**changes):
    return {
        "brand": "",
        "name": "",
        "schedule_type": "one_time",
        "cron_expression": "",
        "time_zone": "",
        "max_runs": "",
        "max_retries": "3",
        "parameter_name": "owl",
        "parameter_ends": "ok",
        "parameter_sleeps": "0",
        "parameter_works": "0",
        **changes,
    }


def test_a_one_time_job_of_the_form_is_queued(page, brand):
    page.post(reverse("admin:pipeline_job_add") + "?job_type=toy", form(brand=str(brand.pk)))
    run = Run.objects.get()
    assert (run.status, run.subject, run.brand, run.created_by.username) == (RunStatus.PENDING, "owl", brand, "root")


def test_a_recurring_job_of_the_form_has_its_one_future_run(page, brand):
    address = reverse("admin:pipeline_job_add") + "?job_type=toy"
    page.post(
        address, form(brand=str(brand.pk), schedule_type="recurring", cron_expression="0 3 * * *", time_zone="Europe/Berlin")
    )
    job = Job.objects.get()
    first = job.runs.get().scheduled_for
    change = reverse("admin:pipeline_job_change", args=[job.pk])
    assert "03:00" in page.get(change).content.decode()
    page.post(change, form(cron_expression="0 4 * * *", time_zone="Europe/Berlin"))
    assert job.runs.get().scheduled_for != first


def test_a_schedules_next_times_are_shown_in_the_zone_that_is_named_beside_them(page, brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", time_zone="Asia/Tokyo")
    words = admin.site._registry[Job].when_in_words(job)
    assert "Asia/Tokyo. Next: " in words
    assert words.partition("Next: ")[2].count("03:00") == 5


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"parameter_ends": "badly"}, "Select a valid choice"),
        ({"parameter_works": "-1"}, "greater than or equal to 0"),
        ({"schedule_type": "recurring", "cron_expression": "daily"}, "cron_expression"),
        ({"schedule_type": "recurring", "cron_expression": "0 3 * * *", "max_runs": "0"}, "it would never start"),
        ({"time_zone": "Mars"}, "There is no time zone"),
    ],
)
def test_each_error_is_shown_at_its_field_and_nothing_is_queued(page, wrong, words):
    answer = page.post(reverse("admin:pipeline_job_add") + "?job_type=toy", form(**wrong))
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert words in answer.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize("field", [{"cron_expression": "0 3 * * *"}, {"max_runs": "5"}])
def test_a_one_time_job_with_schedule_fields_is_refused(page, brand, field):
    answer = page.post(reverse("admin:pipeline_job_add") + "?job_type=toy", form(brand=str(brand.pk), **field))
    assert "A one-time job runs once, now. Choose Recurring above, or leave this empty." in answer.content.decode()
    assert not Run.objects.exists()


def test_adding_a_second_schedule_leaves_the_first_unchanged(page, brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "owl"}, name="Nightly", max_runs=9)
    answer = page.post(
        reverse("admin:pipeline_job_add") + "?job_type=toy",
        form(brand=str(brand.pk), schedule_type="recurring", cron_expression="* * * * *"),
    )
    assert f"Schedule {job.pk}, Nightly, already does this (active). Change that one instead." in answer.content.decode()
    job.refresh_from_db()
    assert (job.cron_expression, job.name, job.max_runs) == ("0 3 * * *", "Nightly", 9)
    page.post(reverse("admin:pipeline_job_add") + "?job_type=toy", form(brand=str(brand.pk)))
    assert Run.objects.filter(scheduled_for=None).exists()


def test_who_may_not_add_jobs_cannot_choose_a_type(client):
    user = make_user("looker", "pipeline.view_job")
    user.is_staff = True
    user.save()
    client.force_login(user)
    assert client.get(reverse("admin:pipeline_job_add")).status_code == 403


def test_reviews_are_scraped_by_action_on_urls(page):
    listing = make_listing()
    page.post(
        reverse("admin:competitors_competitoramazonurl_changelist"),
        {"action": "scrape_selected", "_selected_action": [listing.pk]},
        follow=True,
    )
    assert Run.objects.get().subject == str(listing.pk)
    assert Job.objects.get().status == JobStatus.ACTIVE


LIMIT = {"job_type": "", "brand": "", "source": "", "max_running": "2", "max_memory_mb": ""}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"job_type": "tyo"}, "tyo is not one of the available choices"),
        ({"source": "apfiy"}, "apfiy is not one of the available choices"),
        ({"job_type": "toy", "source": "apify"}, "Leave type and brand empty"),
        ({"max_memory_mb": "2048"}, "Choose the account"),
        ({"max_running": "-1"}, "greater than or equal to 0"),
    ],
)
def test_a_limit_that_would_stop_nothing_is_refused_at_its_field(page, fields, words):
    answer = page.post(reverse("admin:pipeline_concurrencylimit_add"), LIMIT | fields)
    assert words in answer.content.decode()
    assert not ConcurrencyLimit.objects.exists()


@pytest.mark.parametrize("of_a_brand", [True, False])
def test_a_second_limit_of_the_same_is_refused_in_words(page, brand, of_a_brand):
    fields = LIMIT | {"brand": str(brand.pk) if of_a_brand else "", "job_type": "toy"}
    page.post(reverse("admin:pipeline_concurrencylimit_add"), fields)
    answer = page.post(reverse("admin:pipeline_concurrencylimit_add"), fields).content.decode()
    assert "This limit already exists. Change that one instead." in answer
    assert "onstraint" not in answer
    assert ConcurrencyLimit.objects.count() == 1


def test_events_record_who_sets_changes_and_removes_a_limit(page):
    page.post(reverse("admin:pipeline_concurrencylimit_add"), LIMIT | {"job_type": "toy"})
    limit = ConcurrencyLimit.objects.get()
    change = reverse("admin:pipeline_concurrencylimit_change", args=[limit.pk])
    assert 'value="toy" selected' in page.get(change).content.decode()
    page.post(change, LIMIT | {"job_type": "toy", "max_running": "0"})
    page.post(reverse("admin:pipeline_concurrencylimit_delete", args=[limit.pk]), {"post": "yes"})
    assert list(Event.objects.exclude(kind="sign_in").order_by("pk").values_list("kind", "message", "by__username")) == [
        ("concurrencylimit", "Concurrency limit “toy: 2” was set by root.", "root"),
        ("concurrencylimit", "Concurrency limit “toy: 0” was changed by root. Before: “toy: 2”.", "root"),
        ("concurrencylimit", "Concurrency limit “toy: 0” was removed by root.", "root"),
    ]


def test_a_limit_of_a_type_whose_code_is_gone_can_still_be_seen_and_removed(page):
    limit = ConcurrencyLimit.objects.create(job_type="gone", max_running=1)
    assert (
        "gone (its code is gone)" in page.get(reverse("admin:pipeline_concurrencylimit_change", args=[limit.pk])).content.decode()
    )
    act(page, "concurrencylimit", "delete_selected", limit)
    page.post(
        reverse("admin:pipeline_concurrencylimit_changelist"),
        {"action": "delete_selected", "_selected_action": [limit.pk], "post": "yes"},
    )
    assert not ConcurrencyLimit.objects.exists()
    assert Event.objects.filter(message="Concurrency limit “gone: 1” was removed by root.").exists()


def test_a_pause_of_everything_names_who_set_it(page, brand):
    page.post(reverse("admin:pipeline_pause_add"), {"job_type": "", "brand": ""})
    run = api.queue_one_time_job(brand.pk, "toy").run
    assert explain(run, timezone.now()).startswith("Paused by root since ")
    page.post(reverse("admin:pipeline_pause_delete", args=[Pause.objects.get().pk]), {"post": "yes"})
    assert [one.status for one in work_off()] == [RunStatus.COMPLETED]


def test_changing_a_brands_time_zone_moves_its_schedules(page, brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    fields = {"name": brand.name, "slug": brand.slug, "time_zone": "Asia/Tokyo"}
    page.post(reverse("admin:pipeline_brand_change", args=[brand.pk]), fields)
    assert job.runs.get().scheduled_for.astimezone(ZoneInfo("Asia/Tokyo")).hour == 3


def test_a_brand_with_runs_is_kept_and_the_page_says_why(page, brand):
    api.queue_one_time_job(brand.pk, "toy")
    address = reverse("admin:pipeline_brand_delete", args=[brand.pk])
    for answer in (page.get(address), page.post(address, {"post": "yes"}), act(page, "brand", "delete_selected", brand)):
        words = answer.content.decode()
        assert "Acme: 1 run, kept with their costs. To stop scraping, archive the brand." in words
        assert "permission" not in words
    assert Run.objects.exists()


def test_a_brand_that_never_ran_can_be_deleted(page, brand):
    page.post(reverse("admin:pipeline_brand_delete", args=[brand.pk]), {"post": "yes"})
    assert not Brand.objects.exists()


def test_a_schedules_max_retries_is_saved(page, brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    own = {"name": "x", "cron_expression": "0 3 * * *", "time_zone": "", "max_runs": "", "max_retries": "0"}
    toys = {"parameter_name": "bear", "parameter_ends": "ok", "parameter_sleeps": "0", "parameter_works": "0"}
    assert page.post(reverse("admin:pipeline_job_change", args=[job.pk]), own | toys).status_code == 302
    job.refresh_from_db()
    assert job.max_retries == 0


@pytest.mark.parametrize("cron", ["", "0 3 * * *"])
def test_a_job_whose_type_is_gone_can_still_be_seen(page, brand, cron):
    job = api.ensure_recurring_job(brand.pk, "toy", cron) if cron else api.queue_one_time_job(brand.pk, "toy").job
    Job.objects.filter(pk=job.pk).update(job_type="gone")
    answer = page.get(reverse("admin:pipeline_job_change", args=[job.pk]))
    assert answer.status_code == 200
    assert "bear" in answer.content.decode()
    assert 'name="_save"' not in answer.content.decode()


def test_two_people_adding_jobs_of_different_types_at_once_each_get_their_form(rf, django_user_model, monkeypatch):
    jobs = admin.site._registry[Job]
    get_fields = type(jobs).get_fields
    toy, scrape = (rf.get("/", {"job_type": name}) for name in ("toy", "amazon_review_scrape"))
    toy.user = scrape.user = django_user_model(is_superuser=True)

    def ask():
        jobs.get_form(scrape)
        connection.close()  # the thread's own

    def while_another_asks(self, request, obj=None):
        if request is toy:
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        return get_fields(self, request, obj)

    monkeypatch.setattr(type(jobs), "get_fields", while_another_asks)
    assert jobs.get_form(toy).handler.name == "toy"


def test_a_completed_schedule_continues_when_its_max_runs_is_raised(page, brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", max_runs=1)
    api.run_now(job.runs.get(), None)
    work_off()
    page.post(
        reverse("admin:pipeline_job_change", args=[job.pk]),
        form(cron_expression="0 3 * * *", max_runs="2", parameter_name="bear"),
    )
    job.refresh_from_db()
    assert (job.status, job.runs.live().count()) == (JobStatus.ACTIVE, 1)
