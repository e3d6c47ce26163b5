"""Lists as files: a small one at once, a large one by a run, for whoever asked and nobody else."""

import contextlib
import errno
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from pipeline import api
from pipeline.contract.site import incoming
from pipeline.contract.site.list_files import ListFile
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.jobs.export import files, job
from pipeline.jobs.export.job import NAME
from pipeline.models import BrandLimit, Event, Run
from pipeline.people import assign, limit_to
from pipeline.views.exports import lists
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/pipeline/runs.csv?status=completed"


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def brand():
    """With seven runs that are done."""
    brand = make_brand()
    for number in range(7):
        api.queue_one_time_job(brand.pk, "toy", {"name": f"toy {number}"})
    work_off()
    return brand


@pytest.fixture
def ann(client, brand):
    person = make_person("ann", "viewer")
    client.force_login(person)
    return person


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr(lists, "AT_ONCE", 5)


def ask_for(client, address=LIST):
    answer = client.post(address)
    assert answer.status_code == 303
    return Run.objects.filter(job_type=NAME).order_by("pk").last()


def saved(client, run):
    answer = client.get(reverse("export_file", args=[run.pk]))
    if answer.status_code == 200:
        with contextlib.closing(answer):
            assert answer["Cache-Control"] == "private, no-store"
            assert answer["Content-Disposition"].startswith("attachment")
            return 200, answer.getvalue()
    return answer.status_code, answer.content


@pytest.mark.usefixtures("ann", "large")
def test_the_audit_log_tells_whose_rows_are_in_a_file_that_a_run_made(client, brand):
    run = ask_for(client)
    work_off()
    Run.objects.filter(pk=run.pk).update(brand=brand)
    assert saved(client, run)[0] == 200
    event = Event.objects.get(kind="export")
    assert (event.brand, event.message) == (brand, "ann downloaded runs.csv of Northpaw, filter status=completed.")


@pytest.mark.usefixtures("ann")
def test_a_small_list_is_sent_whole_at_once(client):
    answer = client.get(LIST)
    assert answer["Content-Disposition"] == 'attachment; filename="runs.csv"'
    assert not answer.streaming
    assert len(answer.content.splitlines()) == 8
    assert not Run.objects.filter(job_type=NAME).exists()


@pytest.mark.usefixtures("ann")
def test_the_file_of_a_run_is_the_same_as_a_small_one(client, monkeypatch):
    at_once = client.get(LIST).content
    monkeypatch.setattr(lists, "AT_ONCE", 5)
    page = client.get(LIST)
    assert "Make the file" in page.content.decode()
    run = ask_for(client)
    work_off()
    run.refresh_from_db()
    assert (run.status, run.summary[:7]) == ("completed", "7 rows,")
    assert saved(client, run) == (200, at_once)
    link = f'href="{reverse("export_file", args=[run.pk])}"'
    for page in (client.get(LIST), client.get("/exports/"), client.get(run.get_absolute_url())):
        assert link in page.content.decode()


@pytest.mark.usefixtures("ann", "large")
def test_rows_that_are_many_bytes_are_large_too(client, monkeypatch):
    monkeypatch.setattr(lists, "AT_ONCE", 100)
    monkeypatch.setattr(lists, "BYTES_AT_ONCE", 200)
    assert "Make the file" in client.get(LIST).content.decode()


@pytest.mark.usefixtures("ann", "large")
def test_a_file_is_for_whoever_asked_alone(client):
    run = ask_for(client)
    work_off()
    client.force_login(make_person("bob", "admin"))
    status, words = saved(client, run)
    assert status == 403
    assert "for the person who asked" in words.decode()
    again = api.run_again(run, by=make_person("cid", "operator")).run
    work_off()
    again.refresh_from_db()
    assert again.status == "failed"
    assert "Open the list and export it yourself" in again.error_message


@pytest.mark.usefixtures("large")
def test_who_may_no_longer_see_the_list_gets_neither_the_file_nor_another(client, ann):
    run = ask_for(client)
    work_off()
    assert saved(client, run)[0] == 200
    later = ask_for(client, "/pipeline/runs.csv")
    assign(ann, "")
    assert saved(client, run)[0] == 403
    work_off()
    later.refresh_from_db()
    assert (later.status, default_storage.exists(f"exports/{later.pk}.csv")) == ("failed", False)


@pytest.mark.usefixtures("large")
def test_a_person_with_a_brand_limit_exports_what_is_of_several_brands(client, brand, ann):
    limit_to(ann, [brand])
    api.queue_one_time_job(make_brand("Otherpaw").pk, "toy", {"name": "secret"})
    work_off()
    run = ask_for(client)
    work_off()
    status, content = saved(client, run)
    assert (status, len(content.splitlines()), b"secret" in content) == (200, 8, False)


@pytest.mark.usefixtures("large")
def test_a_file_that_may_hold_what_is_open_no_longer_is_refused(client, brand, ann):
    other = make_brand("Otherpaw")
    of_every = ask_for(client)
    of_one = ask_for(client, f"/competitors/{brand.slug}/competitors.csv")
    work_off()
    limit_to(ann, [brand, other])
    of_both = ask_for(client)
    work_off()
    assert [saved(client, run)[0] for run in (of_every, of_one, of_both)] == [403, 200, 200]
    assert "made when more brands were open to you" in saved(client, of_every)[1].decode()
    limit_to(ann, [brand])
    assert [saved(client, run)[0] for run in (of_every, of_one, of_both)] == [403, 200, 403]
    BrandLimit.objects.all().delete()
    assert [saved(client, run)[0] for run in (of_every, of_one, of_both)] == [200, 200, 200]


@pytest.mark.usefixtures("large")
def test_a_file_that_does_not_say_which_brands_it_holds_is_for_who_sees_all(client, brand, ann):
    run = ask_for(client)
    work_off()
    run.refresh_from_db()
    Run.objects.filter(pk=run.pk).update(parameters={name: run.parameters[name] for name in run.parameters if name != "brands"})
    assert saved(client, run)[0] == 200
    limit_to(ann, [brand])
    assert saved(client, run)[0] == 403


@pytest.mark.usefixtures("large")
def test_brands_that_were_opened_after_the_click_are_not_in_the_file(client, brand, ann):
    limit_to(ann, [brand])
    run = ask_for(client)
    BrandLimit.objects.all().delete()
    work_off()
    run.refresh_from_db()
    assert (run.status, saved(client, run)[0]) == ("failed", 404)
    assert "More brands are open to ann" in run.error_message


@pytest.mark.usefixtures("ann", "large")
def test_an_address_that_is_too_long_is_refused_in_words(client):
    answer = client.post(f"/pipeline/runs.csv?words={'x' * 4100}")
    assert answer.status_code == 409
    assert "4000 characters" in answer.content.decode()


@pytest.mark.usefixtures("ann", "large")
def test_a_third_export_at_a_time_waits_and_the_same_list_is_made_once(client):
    first = ask_for(client)
    assert ask_for(client) == first
    ask_for(client, "/pipeline/runs.csv")
    third = client.post("/pipeline/runs.csv?status=completed&trigger=manual")
    assert third.status_code == 429
    assert "Wait until one is done" in third.content.decode()
    work_off()
    ask_for(client, "/pipeline/runs.csv?status=completed&trigger=manual")


def test_of_small_files_too_two_are_made_at_a_time(client, ann):
    with lists.TURNS.turn(ann.pk), lists.TURNS.turn(ann.pk):
        assert client.get(LIST).status_code == 429
    assert client.get(LIST).status_code == 200


@pytest.mark.usefixtures("ann", "large")
def test_a_file_is_removed_after_a_week(client, caplog):
    run = ask_for(client)
    work_off()
    assert files.remove_old() == []
    Run.objects.filter(pk=run.pk).update(completed_at=timezone.now() - timedelta(days=7, minutes=1))
    assert saved(client, run)[0] == 404
    assert files.remove_old() == [run.pk]
    assert f"The file of export run {run.pk} was removed" in caplog.text
    assert default_storage.listdir("exports")[1] == []


@pytest.mark.usefixtures("ann", "large")
def test_a_file_without_its_run_is_removed(client):
    run = ask_for(client)
    work_off()
    Run.objects.filter(pk=run.pk).delete()
    assert files.remove_old() == [run.pk]


@pytest.mark.usefixtures("ann", "large")
def test_a_full_disk_says_so_and_the_run_goes_on_by_itself(client, monkeypatch):
    run = ask_for(client)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(incoming.default_storage, "save", full)
        work_one()
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("pending", 0)
    assert "The disk for files is full. Free some space in MEDIA_ROOT" in run.blocked_reason
    assert not list(default_storage.listdir("incoming")[1])
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now())
    work_off()
    assert saved(client, run)[0] == 200


@pytest.mark.usefixtures("ann", "large")
def test_a_worker_that_stops_leaves_no_half_file_and_the_next_makes_it_anew(client):
    run = ask_for(client)
    work_one(stopping=lambda: True)
    run.refresh_from_db()
    assert (run.status, default_storage.exists(f"exports/{run.pk}.csv")) == ("pending", False)
    work_off()
    assert len(saved(client, run)[1].splitlines()) == 8


@pytest.mark.usefixtures("large")
def test_the_brand_of_a_list_may_be_renamed_and_archived_meanwhile(client, brand, ann):
    address = f"/competitors/{brand.slug}/competitors.csv"
    brand.slug = "renamed"
    brand.archived_at = timezone.now()
    brand.save()
    assert client.post(address).status_code == 404
    run = ask_for(client, address.replace("northpaw", "renamed"))
    brand.slug = "again"
    brand.save()
    work_off()
    assert saved(client, run)[0] == 200


@pytest.mark.usefixtures("ann", "large")
def test_a_cancelled_export_stops_in_the_middle_and_leaves_no_file(client, monkeypatch):
    run = ask_for(client)
    written = []

    def text(self, keys):
        for number in range(3):
            if number == 1:
                api.cancel(run, by=None)
            written.append(number)
            yield number, "row\r\n"

    monkeypatch.setattr(ListFile, "text", text)
    monkeypatch.setattr(job, "PROGRESS_SECONDS", -1)
    work_off()
    run.refresh_from_db()
    assert (run.status, written) == ("cancelled", [0, 1, 2])
    assert not default_storage.exists(f"exports/{run.pk}.csv")
