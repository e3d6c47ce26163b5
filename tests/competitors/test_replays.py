"""A replay from the page is work for a worker, with its own run."""

import re

import pytest

from pipeline import api
from pipeline.contract import NotAllowed
from pipeline.engine.execution import ingest
from pipeline.engine.workers.inline import work_one
from pipeline.models import RejectedItem, Run
from pipeline.queries import run_detail
from pipeline.states import RunStatus
from pipeline.views.manager.history import dry_run
from tests.competitors.scraping import finish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def manager(person, page):
    user = person("manager", "view_run", "replay_run")
    page.force_login(user)
    return user


@pytest.fixture
def done(sandbox, run):
    return finish(run)


def test_a_click_queues_it_and_a_worker_does_it(done, listing, manager):
    listing.reviews().all().delete()
    queued = api.queue_replay(done, manager)
    assert (queued.created, queued.run.status, listing.reviews().count()) == (True, RunStatus.PENDING, 0)
    assert run_detail(done, manager).replay.run == queued.run
    ended = work_one()
    assert (ended.pk, ended.status) == (queued.run.pk, RunStatus.COMPLETED)
    assert f"of run {done.pk}, free:" in ended.summary
    assert listing.reviews().count() > 0
    assert "Replayed by manager at no cost" in done.logs.last().message
    assert set(done.events.values_list("kind", flat=True)) >= {"replay_queued", "replay"}


def test_the_run_s_page_first_shows_what_it_would_change(done, listing, page, manager, person, monkeypatch):
    known = done.counts["new"]
    listing.reviews().first().delete()
    dry = f"/pipeline/runs/{done.pk}/dry-run/"
    assert f'action="{dry}"' in page.get(done.get_absolute_url()).content.decode()
    answer = page.post(dry).content.decode()
    assert "1 new row, 0 changed rows." in answer
    table = re.findall(r'row">(\w+)</th><td class="num" data-label="When it ran">([\d,]+)</td><td[^>]*>([\d,]+)<', answer)
    assert table[:2] == [("New", str(known), "1"), ("Unchanged", "0", str(known - 1))]
    assert re.search(rf"It reported</dt><dd><bdi>{known} new, .*The replay would report</dt><dd><bdi>1 new, ", answer)
    assert f'action="/pipeline/runs/{done.pk}/replay/"' in answer
    assert listing.reviews().count() == known - 1
    assert not done.events.filter(kind="replay").exists()
    monkeypatch.setattr(dry_run, "MOST_ITEMS", 5)
    monkeypatch.setattr(api, "replay", None)
    assert f"manage.py replay {done.pk} --dry-run" in page.post(dry).content.decode()
    monkeypatch.undo()
    done.upstream_runs.get().pages.all().delete()
    assert "no downloaded data" in page.post(dry, follow=True).content.decode()
    page.force_login(person("another", "view_run"))
    assert page.post(dry).status_code == 403


def test_the_runs_page_queues_it_and_follows_it(done, page, manager):
    answer = page.post(f"/pipeline/runs/{done.pk}/replay/", {"next": done.get_absolute_url()}, follow=True).content.decode()
    replay = Run.objects.get(job_type="replay")
    assert f'A replay is queued. <a href="{replay.get_absolute_url()}">' in answer
    assert 'hx-trigger="every 3s"' in answer
    work_one()
    answer = page.get(done.get_absolute_url()).content.decode()
    assert "Re-imported" in answer
    assert 'hx-trigger="every 3s"' not in answer


def test_only_who_may_replay_queues_it(done, person):
    with pytest.raises(NotAllowed):
        api.queue_replay(done, person("another", "view_run"))


def test_a_second_click_gets_the_same_replay(done, manager):
    first = api.queue_replay(done, manager)
    second = api.queue_replay(done, manager)
    assert (second.created, second.run) == (False, first.run)


def test_what_cannot_be_replayed_is_refused_before_anything_is_queued(done, run, listing, manager):
    done.upstream_runs.get().pages.all().delete()
    with pytest.raises(NotAllowed, match="no downloaded data"):
        api.queue_replay(done, manager)
    assert not Run.objects.filter(job_type="replay").exists()


def test_what_is_refused_by_then_fails_with_the_reason_and_is_not_tried_again(done, manager):
    queued = api.queue_replay(done, manager)
    done.upstream_runs.get().pages.all().delete()
    ended = work_one()
    assert (ended.pk, ended.status) == (queued.run.pk, RunStatus.FAILED)
    assert "no downloaded data" in ended.error_message
    assert RejectedItem.objects.filter(run=done).exists(), "nothing was changed"


def test_neither_a_run_nor_its_replay_keeps_more_rejected_items_than_the_limit(run, sandbox, manager, monkeypatch):
    monkeypatch.setattr(ingest, "MAX_REJECTS_KEPT", 3)
    sandbox.account.faults.arm("only_errors")
    finish(run)
    assert run.counts["rejected"] > 3, "all of them are counted"
    assert RejectedItem.objects.filter(run=run).count() == 3
    api.replay(run, manager)
    assert RejectedItem.objects.filter(run=run).count() == 3
