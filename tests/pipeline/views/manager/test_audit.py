"""Who did what: acts and changed rows in one list, of the brands that are open to the reader."""

import csv
import io
import re
from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pipeline import api
from pipeline.contract.site import list_files
from pipeline.models import ConcurrencyLimit, Event, Run
from pipeline.people import assign, limit_to
from pipeline.queries.manager.history import audit
from pipeline.queries.manager.history.audit import Change, Wanted, acts
from pipeline.views.manager.history.audit import audit_file
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db):
    return make_person("ann", "manager")


@pytest.fixture
def page(ann):
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(ann)
    return client


def listed(user, **wanted):
    return list(acts(Wanted(**wanted), user))


def said(user, **wanted):
    return [act.what for act in listed(user, **wanted)]


def test_signing_in_failing_and_out_are_recorded_with_the_address(ann):
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.post(reverse("login"), {"username": "ann", "password": "wrong"})
    client.post(reverse("login"), {"username": "my secret", "password": "wrong"})
    client.post(reverse("login"), {"username": "ann", "password": "pass"})
    client.post(reverse("logout"))
    assert said(ann, group="sign-ins") == [
        "ann signed out from 192.0.2.7.",
        "ann signed in from 192.0.2.7.",
        "Sign-in failed: an unknown name from 192.0.2.7.",
        "Sign-in failed: ann from 192.0.2.7.",
    ]


def test_a_hundred_failures_do_not_fill_the_list(ann):
    client = Client(REMOTE_ADDR="192.0.2.7")
    for _ in range(20):
        client.post(reverse("login"), {"username": "ann", "password": "wrong"})
    assert 9 <= len(said(ann, group="sign-ins")) <= 10


def test_a_new_role_is_recorded_with_who_gave_it(client, admin_user, ann):
    """In the admin, as people do it."""
    ben = make_person("ben", "viewer")
    LogEntry.objects.all().delete()
    client.force_login(admin_user)
    values = {"username": "ben", "role": "operator", "is_active": "on"}
    values |= {"brand_limit-TOTAL_FORMS": "0", "brand_limit-INITIAL_FORMS": "0"}
    dates = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    answer = client.post(reverse("admin:auth_user_change", args=[ben.pk]), values | dates)
    assert answer.status_code == 302, answer.context["errors"]
    changes = [(act.who, change) for act in listed(ann, group="people") for change in act.changes]
    assert ("admin", Change("groups", "", "operator")) in changes
    assert ("admin", Change("groups", "viewer", "")) in changes


def test_nothing_of_a_password_is_recorded_but_that_it_changed(ann):
    ann.set_password("another one")
    ann.save()
    act = listed(ann, group="people")[0]
    assert act.changes == [Change("password", "(hidden)", "(hidden)")]
    assert act.who == "A command"


def test_a_brand_limit_and_a_brand_are_recorded(ann):
    brand = make_brand()
    limit_to(make_person("ben", "viewer"), [brand])
    brand.name = "Southpaw"
    brand.save()
    words = " ".join(said(ann, group="people"))
    for one in ("Brand limit", "Brand Northpaw was added", "Brand Southpaw was changed"):
        assert one in words
    assert any(change.after == "Northpaw" for act in listed(ann) for change in act.changes if change.field == "brands")


def test_what_apps_archive_is_among_the_settings(ann):
    Event.objects.create(kind="archive_kennel", message="The kennel was archived.", by=ann)
    assert said(ann, group="settings") == ["The kennel was archived."]
    assert "The kennel was archived." in said(ann)
    assert said(ann, group="limits") == []


def test_a_new_row_tells_its_own_values_only(ann):
    make_brand()
    assert listed(ann, group="people")[0].changes == [Change("name", "", "Northpaw"), Change("slug", "", "northpaw")]


def test_changes_are_told_in_plain_words_in_the_order_of_their_names(page):
    carl = make_person("carl", "viewer")
    carl.is_active = False
    carl.set_password("another")
    carl.save()
    told = " ".join(re.sub(r"<[^>]+>", " ", page.get(reverse("audit"), {"words": "carl"}).content.decode()).split())
    assert "User carl was changed. is active : was yes , is no password : changed" in told
    assert "username : carl" in told


def test_a_command_is_recorded_as_one(ann):
    call_command("add_user", "carl", "--role", "viewer")
    assert {act.who for act in listed(ann, words="carl")} == {"A command"}


def test_a_limit_tells_what_it_was_before(ann):
    brand = make_brand()
    limit = ConcurrencyLimit(brand=brand, max_running=3)
    api.save_stop(limit, ann)
    limit.max_running = 5
    api.save_stop(limit, ann)
    (changed, added) = listed(ann, group="limits")
    assert changed.what == "Concurrency limit “Northpaw: 5” was changed by ann. Before: “Northpaw: 3”."
    assert (changed.brand, added.who) == (brand, "ann")


def test_accept_retry_and_a_schedule_tell_what_was_before(ann):
    brand = make_brand()
    run = api.queue_one_time_job(brand.pk, "toy").run
    Run.objects.filter(pk=run.pk).update(status="completed", verdict="partial", completed_at=timezone.now())
    run.refresh_from_db()
    api.accept(run, ann)
    assert said(ann, group="results") == [f"The result of run {run.pk} was accepted by ann: was partial, is good."]
    failed = api.queue_one_time_job(brand.pk, "toy").run
    Run.objects.filter(pk=failed.pk).update(status="failed", completed_at=timezone.now())
    failed.refresh_from_db()
    api.retry(failed, ann)
    assert said(ann, group="money") == [f"Run {failed.pk} was retried by ann: was failed, is queued."]
    for cron in ("0 6 * * *", "0 7 * * *"):
        api.ensure_recurring_job(brand.pk, "toy", cron_expression=cron, created_by=ann)
    assert said(ann, group="schedules")[0] == "Schedule changed by ann: every day at 07:00; before: every day at 06:00."


def test_a_download_is_recorded_with_its_filter_and_brand(page, ann):
    brand = make_brand()
    b"".join(page.get(reverse("runs_csv"), {"brand": brand.slug}))
    b"".join(page.get(reverse("audit_csv")))
    assert said(ann, group="exports") == ["ann downloaded audit.csv.", f"ann downloaded runs.csv, filter brand={brand.slug}."]


def test_who_is_limited_to_some_brands_reads_of_these_only(ann):
    own, other = make_brand(), make_brand("Southpaw")
    for brand in (own, other):
        api.save_stop(ConcurrencyLimit(brand=brand, max_running=3), ann)
        run = api.queue_one_time_job(brand.pk, "toy").run
        Event.objects.create(kind="adopt", message=f"Of {brand}.", run=run, by=ann)
        api.ensure_recurring_job(brand.pk, "toy", cron_expression="0 6 * * *", created_by=ann)
    api.save_stop(ConcurrencyLimit(max_running=9), ann)
    limited = make_person("ben", "manager", own)
    client = Client()
    client.force_login(limited)
    html = client.get(reverse("audit")).content.decode()
    assert "Of Northpaw." in html
    assert "“Northpaw: 3”" in html
    for foreign in ("Southpaw", "everything: 9", "signed in", "User ", "Brand limit"):
        assert foreign not in html
    assert "Southpaw" not in b"".join(client.get(reverse("audit_csv"))).decode()


def test_the_list_can_be_filtered_paged_and_downloaded(page, ann, monkeypatch):
    monkeypatch.setattr(audit.page_of, "__kwdefaults__", {"before": None, "size": 2})
    monkeypatch.setattr(audit, "PIECE", 2)
    Event.objects.all().delete()
    LogEntry.objects.all().delete()
    other = make_person("ben", "manager")
    LogEntry.objects.all().delete()
    for number in range(3):
        Event.objects.create(kind="adopt", message=f"Act {number}", by=other if number == 1 else ann)
    assign(other, "viewer")
    texts = [page.get(reverse("audit")).content.decode()]
    while "Older</a>" in texts[-1] and len(texts) < 9:
        older = texts[-1].partition('">Older</a>')[0].rpartition('href="')[2].replace("&amp;", "&")
        texts.append(page.get(reverse("audit") + older).content.decode())
    assert [sum(f"Act {number}" in text for text in texts) for number in range(3)] == [1, 1, 1]
    assert "User ben was changed" in texts[0]
    assert said(ann, person=other) == ["Act 1"]
    assert said(ann, words="Act 2") == ["Act 2"]
    assert said(ann, since=timezone.now() + timedelta(hours=1)) == []
    assert "Filter ignored. Kind" in page.get(reverse("audit"), {"group": "nothing"}).content.decode()
    sheet = list(csv.DictReader(io.StringIO(b"".join(page.get(reverse("audit_csv"))).decode("utf-8-sig"))))
    told = {tuple(row[name] for name in ("Who", "Field", "Before", "After")) for row in sheet}
    assert ("A command", "groups", "manager", "") in told


def test_the_file_is_read_piece_by_piece_as_it_is_written(ann, monkeypatch):
    monkeypatch.setattr(audit, "PIECE", 2)
    Event.objects.bulk_create(Event(kind="pause", message=f"Act {number}") for number in range(9))
    file = audit_file.file(ann, QueryDict("group=schedules"), {})
    with CaptureQueriesContext(connection) as queries:
        keys = file.keys()
        pieces = file.text(keys)
        next(pieces)
    assert [query for query in queries.captured_queries if "event" in query["sql"]] == []
    monkeypatch.setattr(list_files, "CHUNK", 2)
    with CaptureQueriesContext(connection) as queries:
        assert next(pieces)[0] == 2
    assert len([query for query in queries.captured_queries if "event" in query["sql"]]) == 1
    assert [done for done, _ in pieces] == [4, 6, 8, 9]
    assert len(list(file.keys(3))) == 3


def test_nothing_that_workers_or_clicks_write_is_registered():
    assert {model.__name__ for model in auditlog.get_models()} == {"User", "Group", "BrandLimit", "Brand"}


def test_a_click_writes_nothing_into_the_audit_log(ann):
    before = LogEntry.objects.count()
    api.queue_one_time_job(make_brand().pk, "toy", created_by=ann)
    assert LogEntry.objects.count() == before + 1, "the brand only"
