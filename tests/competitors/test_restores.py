"""A backup is restored into an empty place, and scrapes go on there: nothing is paid for twice."""

import sqlite3
import uuid
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection

from pipeline import api
from pipeline.engine.upstreams import lost_answers
from pipeline.models import Event, Restore, Run, UpstreamRun
from pipeline.people import sign_out_everywhere
from tests.competitors.reuse import click, let_end
from tests.competitors.scraping import finish, upstream_runs, words, work
from tests.factories import make_listing, make_person

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=1)  # when the upstream's list can no longer lag


@pytest.fixture
def empty(tmp_path):
    """The name of a new, empty database."""
    with new_database(tmp_path) as name:
        yield name


@pytest.fixture
def emptied(tmp_path):
    """The name of another one."""
    with new_database(tmp_path) as name:
        yield name


@contextmanager
def new_database(folder):
    name = f"restored_{uuid.uuid4().hex[:8]}"
    if connection.vendor == "sqlite":
        yield str(folder / f"{name}.sqlite3")
        return
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def using(name):
    """This process works on that database."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


@pytest.fixture
def backup(tmp_path):
    return tmp_path / "backup"


def test_after_a_restore_each_scrape_goes_on_and_none_is_paid_for_twice(
    held, listing, competitor, backup, empty, settings, monkeypatch
):
    """One runs upstream at the time of the backup, the answer to one was lost then, and one is started only after it."""
    settings.PIPELINE_NONE_SECONDS = 0
    monkeypatch.setattr(lost_answers, "MAX_CLOCK_DIFFERENCE", timedelta(0))
    running, lost, later = (
        click(one) for one in (listing, make_listing(competitor, asin="B000000001"), make_listing(competitor, asin="B000000002"))
    )
    work(running)
    held.account.faults.arm("drop_start", count=1)
    work(lost)
    call_command("backup", backup)
    work(later)
    assert upstream_runs(held) == 3
    assert later.upstream_runs.get().status == UpstreamRun.Status.RUNNING
    with using(empty):
        call_command("restore", backup)
        assert not UpstreamRun.objects.filter(run=later).exists(), "its start is not in the backup"
        let_end(held)
        for run in (running, lost, later):
            finish(Run.objects.get(pk=run.pk))
        assert {(run.status, run.verdict) for run in Run.objects.all()} == {("completed", "ok")}
        assert "Looking for what this run started since then." in words(Run.objects.get(pk=later.pk))
        assert UpstreamRun.objects.filter(upstream_id__isnull=False).count() == 3
        assert listing.reviews().exists()
    assert upstream_runs(held) == 3


def test_after_a_restore_what_was_never_started_is_started_once(sandbox, listing, backup, empty):
    run = click(listing)
    call_command("backup", backup)
    with using(empty):
        call_command("restore", backup)
        run.refresh_from_db()
        work(run)
        assert upstream_runs(sandbox) == 0
        work(run, age_intent=LATER)
        finish(run)
        assert (run.status, upstream_runs(sandbox)) == ("completed", 1)


def test_after_two_restores_a_start_before_the_first_is_still_looked_for(held, listing, backup, empty, emptied, monkeypatch):
    """The second backup was made while the run was still queued, and knows no more of its start than the first."""
    monkeypatch.setattr(lost_answers, "MAX_CLOCK_DIFFERENCE", timedelta(0))
    run = click(listing)
    call_command("backup", backup)
    work(run)
    with using(empty):
        call_command("restore", backup)
        call_command("backup", backup, overwrite=True)
    with using(emptied):
        call_command("restore", backup)
        assert Restore.objects.count() == 2
        run.refresh_from_db()
        work(run)
        let_end(held)
        work(run, age_intent=LATER)
        run.refresh_from_db()
        finish(run)
        assert run.status == "completed"
    assert upstream_runs(held) == 1


def test_a_restore_lets_no_session_live_again_that_was_ended_since(client, run, backup, empty):
    client.force_login(make_person("ann", "viewer"))
    call_command("backup", backup)
    sign_out_everywhere(get_user_model().objects.get())
    with using(empty):
        call_command("restore", backup)
        assert client.get("/pipeline/").status_code == 302, "to the sign-in"


def test_a_run_that_was_queued_after_the_restore_asks_for_nothing_older(sandbox, listing, backup, empty):
    call_command("backup", backup)
    finish(click(listing))  # lost with the database
    with using(empty):
        call_command("restore", backup)
        run = click(listing)
        work(run)
        assert (upstream_runs(sandbox), run.upstream_runs.count()) == (2, 1)
        finish(run)


def test_a_start_that_was_paid_before_the_backup_is_not_taken_for_a_lost_one(sandbox, listing, backup, empty):
    """The next scrape of the same listing has the same input."""
    finish(click(listing))
    run = click(listing)
    call_command("backup", backup)
    with using(empty):
        call_command("restore", backup)
        work(run)
        work(run, age_intent=LATER)
        run.refresh_from_db()
        finish(run)
        assert (run.status, upstream_runs(sandbox)) == ("completed", 2)


def test_a_backup_is_readable_by_its_owner_only_and_replaces_no_file_unasked(run, backup):
    call_command("backup", backup)
    assert backup.stat().st_mode & 0o777 == 0o600
    before = backup.read_bytes()
    with pytest.raises(CommandError, match="exists. Choose another name, or use --overwrite"):
        call_command("backup", backup)
    assert backup.read_bytes() == before
    call_command("backup", backup, overwrite=True)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert Event.objects.filter(kind="backup").count() == 2
    assert [one.name for one in backup.parent.iterdir() if "backup" in one.name] == [backup.name]


def test_a_backup_that_fails_leaves_nothing_and_says_why(db, backup, monkeypatch, tmp_path):
    if connection.vendor == "sqlite":
        monkeypatch.setattr("pipeline.management.backups.sqlite._copy", fails)
    else:
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(CommandError, match=r"No backup was made\. .*(disk is full|pg_dump is not installed)"):
        call_command("backup", backup)
    assert not [one for one in tmp_path.iterdir() if "backup" in one.name]
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("backup", tmp_path / "nowhere" / "backup")


def fails(source, file):
    file.write_bytes(b"half")
    raise OSError("The disk is full.")


def test_nothing_is_restored_over_a_database_or_from_another_file(run, backup, empty):
    call_command("backup", backup)
    with pytest.raises(CommandError, match="the database has tables"):
        call_command("restore", backup)
    backup.with_name("other").write_text("Dear diary")
    with using(empty):
        with pytest.raises(CommandError, match="is no backup of a"):
            call_command("restore", backup.with_name("other"))
        with pytest.raises(CommandError, match="No such file"):
            call_command("restore", backup.with_name("third"))
    assert not Restore.objects.exists()


def test_a_damaged_backup_restores_nothing(run, backup, empty):
    call_command("backup", backup)
    whole = backup.read_bytes()
    backup.write_bytes(whole[: len(whole) // 2])
    with using(empty):
        with pytest.raises(CommandError, match="Nothing was restored"):
            call_command("restore", backup)
        assert connection.introspection.table_names() == []


@pytest.mark.only_on("sqlite")
def test_a_backup_is_one_file_and_has_what_was_committed_while_others_write(run, backup):
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE pipeline_run SET summary = 'half of a change'")
        connection.cursor().execute("PRAGMA busy_timeout=50")
        with pytest.raises(CommandError, match="locked"):  # the event that says when is a write
            call_command("backup", backup)
        other.rollback()
    call_command("backup", backup)
    with closing(sqlite3.connect(f"{backup.as_uri()}?mode=ro", uri=True)) as copy:
        assert copy.execute("SELECT summary FROM pipeline_run").fetchall() == [("",)]
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_dump_that_is_none_of_ours_is_refused(backup, empty, monkeypatch, db):
    monkeypatch.setattr(api, "record_backup", lambda name: None)
    call_command("backup", backup)
    with using(empty), pytest.raises(CommandError, match="does not say when it was made"):
        call_command("restore", backup)
