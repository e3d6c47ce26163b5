"""Whoever queued a run, or a channel, is told once how it ended."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from pipeline import api
from pipeline.engine.workers.inline import work_off
from pipeline.jobs.deliver import watch
from pipeline.models import Notification, NotificationRule, Run, Trouble
from tests.factories import make_brand, make_person
from tests.pipeline.jobs.deliver.looks import messages, toy
from tests.receivers import make_rule

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_queued_a_run_gets_one_e_mail_when_it_has_finished(brand, inbox):
    ann, ben = make_person("ann", "operator"), make_person("ben", "operator")
    for person in (ann, ben):
        person.email = f"{person}@example.com"
        person.save()
    toy(brand, "before", created_by=ann)
    work_off()
    api.save_notification_rule(NotificationRule(event="finished"), None)
    toy(brand, "owl", created_by=ann)
    toy(brand, "fox", "permanent", created_by=ben)
    toy(brand, "bear")
    work_off()
    watch.look(timezone.now())
    watch.look(timezone.now())
    work_off()
    got = sorted((to, mail["Subject"].partition(" ")[2].partition(" ")[2]) for to, mail in inbox.mails)
    assert got == [(["ann@example.com"], "completed: Toy, Acme, toy owl"), (["ben@example.com"], "failed: Toy, Acme, toy fox")]


def test_who_may_no_longer_see_the_brand_is_not_told_how_its_run_ended(brand):
    ann = make_person("ann", "operator", brand)
    ann.email = "ann@example.com"
    ann.save()
    make_rule("finished", None)
    toy(brand, created_by=ann)
    ann.brand_limit.brands.set([make_brand("Other")])
    work_off()
    assert messages() == []


def test_a_rule_that_was_off_does_not_tell_of_the_runs_that_ended_meanwhile(brand, channel):
    ann = make_person("ann", "operator")
    rule = NotificationRule(event="finished", channel=channel)
    for enabled in (True, False):
        rule.enabled = enabled
        api.save_notification_rule(rule, None)
        assert messages() == []
    toy(brand, "owl", created_by=ann)
    work_off()
    rule.enabled = True
    api.save_notification_rule(rule, None)
    assert messages() == []
    run = toy(brand, "fox", created_by=ann)
    work_off()
    assert messages() == [("finished", f"Run {run.pk} completed: Toy, Acme, toy fox")]


def test_of_runs_that_ended_together_each_is_told_once_and_what_was_told_is_soon_forgotten(brand, channel, monkeypatch):
    monkeypatch.setattr("pipeline.queries.manager.watch.troubles.AT_ONCE", 2)
    ann = make_person("ann", "operator")
    make_rule("finished", channel)
    runs = [toy(brand, name, created_by=ann).pk for name in ("owl", "fox", "bear", "cat", "dog")]
    work_off()
    Run.objects.filter(pk__in=runs).update(completed_at=timezone.now())
    assert [phase for phase, _ in messages()] == ["finished"] * 3
    assert all(str(Notification.objects.values_list("title", "text")).count(f"Run {pk} ") for pk in runs)
    assert messages(1) == []
    assert Trouble.objects.count() == 5
    assert messages(62) == []
    assert not Trouble.objects.exists()


@pytest.mark.only_on("postgresql")
def test_a_look_that_takes_longer_than_a_turn_lets_no_other_worker_tell_the_same(brand, channel, monkeypatch):
    make_rule("finished", channel)
    toy(brand, created_by=make_person("ann", "operator"))
    work_off()
    words = watch.finished_words

    def second():
        watch.look(timezone.now() + watch.INTERVAL)
        connection.close()

    def slow(run):
        monkeypatch.setattr(watch, "finished_words", words)
        other = threading.Thread(target=second)
        other.start()
        other.join()
        return words(run)

    monkeypatch.setattr(watch, "finished_words", slow)
    watch.look(timezone.now())
    assert Notification.objects.count() == 1
    watch.look(timezone.now())
    assert Notification.objects.count() == 1
