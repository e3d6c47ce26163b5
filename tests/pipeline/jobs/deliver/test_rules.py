"""What each rule tells of, for which brands, and to whom."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from competitors.models import AdAccount
from pipeline import api
from pipeline.engine.upstreams import health
from pipeline.engine.workers.inline import work_off
from pipeline.engine.workers.processes import register_worker
from pipeline.jobs.deliver import watch
from pipeline.models import DatasetStatus, Notification, Pause, Run, SourceState, Trouble, UpstreamRun, Worker
from tests.factories import make_brand, make_competitor, make_library, make_orphan, make_upstream
from tests.pipeline.jobs.deliver.looks import messages, toy
from tests.receivers import make_channel, make_rule

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rule_of_one_brand_is_not_told_of_another_not_even_in_a_count(brand, channel):
    other = make_brand("Other")
    make_rule("failed", channel, brand=brand)
    toy(brand, "owl", "permanent")
    toy(other, "fox", "permanent")
    work_off()
    assert messages() == [("opened", "Toy failed: Acme, toy owl")]
    assert "Other" not in str(list(Notification.objects.values()))


def test_a_doubtful_result_needs_a_person_until_it_is_accepted(brand, channel):
    make_rule("needs", channel)
    run = toy(brand, ends="partial")
    work_off()
    assert messages() == [("opened", f"Run {run.pk} may be incomplete: Acme, toy owl")]
    run.refresh_from_db()
    api.accept(run, None)
    assert messages() == [("resolved", f"Run {run.pk} may be incomplete: Acme, toy owl")]


def test_no_result_counts_as_accepted_because_a_look_tells_of_the_newest_only(brand, channel, monkeypatch):
    monkeypatch.setattr("pipeline.queries.manager.watch.troubles.AT_MOST", 2)
    make_rule("needs", channel)
    runs = [toy(brand, name, ends="partial") for name in ("owl", "fox", "elk")]
    work_off()
    assert messages() == [("opened", f"Run {runs[2].pk} may be incomplete: Acme, toy elk, and 1 more")]
    newest = toy(brand, "cat", ends="partial")
    work_off()
    assert messages() == [("opened", f"Run {newest.pk} may be incomplete: Acme, toy cat")], "the oldest is left out, not over"
    for run in (*runs, newest):
        run.refresh_from_db()
        api.accept(run, None)
    assert [phase for phase, _ in messages()] == ["resolved"]


def test_a_paid_start_that_nobody_knows_about_needs_a_person(channel):
    run = make_orphan()
    make_rule("needs", channel)
    ((phase, title),) = messages()
    assert phase == "opened"
    assert f"Run {run.pk} has ended, but its Apify run may still cost money" in title


def test_stale_data_is_told_once_per_brand_and_kind(brand, channel):
    toy(brand, "owl")
    work_off()
    make_rule("stale", channel)
    assert messages() == []
    status = DatasetStatus.objects.filter(brand=brand, dataset_key="toys")
    status.update(subject="", last_success_at=timezone.now() - timedelta(days=3))
    assert messages(1) == []  # it looks at every subject, and so not each time
    assert messages(6) == [("opened", "Toys of Acme: 1 stale subject")]
    status.update(last_success_at=timezone.now())
    assert messages(12) == [("resolved", "Toys of Acme: 1 stale subject")]


def test_a_brands_stale_data_is_not_over_because_that_of_others_is_older(brand, channel, monkeypatch):
    monkeypatch.setattr("pipeline.queries.manager.watch.troubles.AT_MOST", 2)
    make_rule("stale", channel)
    stale_ads(brand, days=30)
    assert messages() == [("opened", "Competitor Ads of Acme: 1 stale subject")]
    other = make_brand("Other")
    for number in range(3):
        stale_ads(other, days=40 + number)
    assert messages(6) == [("opened", "Competitor Ads of Other: 3 stale subjects")]
    assert Notification.objects.first().text == "Ads of Barkwell 42, Ads of Barkwell 41 and 1 more"
    assert messages(12) == []


def stale_ads(brand, days):
    library = make_library(make_competitor(brand, f"Barkwell {days}"))
    at = timezone.now() - timedelta(days=days)
    DatasetStatus.objects.create(brand=brand, dataset_key="competitor_ads", subject=str(library.pk), last_success_at=at)


def test_a_run_that_is_not_over_when_its_data_is_needed_is_late(brand, channel):
    make_rule("late", channel)
    run = toy(brand)
    Run.objects.filter(pk=run.pk).update(deadline=timezone.now() + timedelta(minutes=1))
    assert messages() == []
    assert messages(2) == [("opened", "Toy is late: Acme, toy owl")]
    work_off()
    assert messages(3) == [("resolved", "Toy is late: Acme, toy owl")]


def test_an_upstream_that_is_down_is_told_and_that_it_works_again(channel):
    make_rule("closed", channel)
    health.note_rejection("apify", "Apify rejects the token.")
    assert messages() == [("opened", "Apify rejects the token.")]
    SourceState.objects.filter(source="apify").update(blocked_until=timezone.now() + timedelta(hours=1))  # a later probe
    assert messages() == []
    health.note_success("apify")
    assert messages() == [("resolved", "Apify rejects the token.")]


def test_four_fifths_of_the_days_limit_are_told(brand, channel, settings):
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = Decimal(10)
    make_rule("limit", channel)
    upstream = make_upstream(toy(brand))
    UpstreamRun.objects.filter(pk=upstream.pk).update(cost_estimate=Decimal("7.90"))
    assert messages() == []
    UpstreamRun.objects.filter(pk=upstream.pk).update(cost_estimate=Decimal("8"))
    assert messages() == [("opened", "80 % of today's spend limit is used")]


def test_a_token_that_ends_within_seven_days_is_told_once_for_all_that_use_it(brand, channel):
    ends = timezone.now() + timedelta(days=8)
    for number in (1, 2):
        AdAccount.objects.create(brand=brand, account_id=f"act_{number}", token_state="valid", token_expires_at=ends)
    make_rule("token", channel)
    assert messages() == []
    ((phase, title),) = messages(2 * 24 * 60)
    assert phase == "opened"
    assert title == "The access token of Acme, act_1, Acme, act_2 ends in 5 days"
    AdAccount.objects.update(token_expires_at=timezone.now() + timedelta(days=60))
    assert [phase for phase, _ in messages(2 * 24 * 60 + 10)] == ["resolved"]


def test_old_messages_go_also_where_no_rule_is_left(channel):
    message = api.send_test(channel, None)
    Notification.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(days=91))
    watch.look_if_due()
    assert not Notification.objects.exists()


def test_a_rule_that_is_switched_off_tells_nothing_and_does_not_say_resolved(brand, channel):
    rule = make_rule("failed", channel)
    toy(brand, ends="permanent")
    work_off()
    assert len(messages()) == 1
    rule.enabled = False
    api.save_notification_rule(rule, None)
    assert messages() == []
    assert not Trouble.objects.filter(over_at=None).exists()


def test_a_message_about_messages_that_fail_is_never_written(brand):
    make_rule("failed", make_channel("webhook", "https://nowhere.example/"))
    toy(brand, ends="permanent")
    work_off()
    assert len(messages()) == 1
    work_off()
    assert Run.objects.get(job_type="deliver").status == "failed"
    assert messages() == []


def test_a_rule_that_cannot_be_looked_at_keeps_no_other_from_its_turn(brand, channel, monkeypatch, caplog):
    def broken(*args):
        raise ValueError("a bug in an app's finder")

    monkeypatch.setattr("pipeline.queries.manager.watch.troubles.endings", broken)
    for event in ("token", "failed", "token"):
        make_rule(event, channel)
    toy(brand, ends="permanent")
    work_off()
    assert messages() == [("opened", "Toy failed: Acme, toy owl")]
    assert "Nobody could be told of An access token ends within 7 days" in caplog.text


def test_only_one_worker_looks_and_only_where_there_is_a_rule(brand, channel, django_assert_num_queries):
    with django_assert_num_queries(2):
        watch.look_if_due()
    make_rule("failed", channel)
    toy(brand, ends="permanent")
    work_off()
    watch.look_if_due()
    assert Notification.objects.count() == 1
    Notification.objects.all().delete()
    Trouble.objects.all().delete()
    watch.look_if_due()
    assert not Notification.objects.exists()


def test_that_no_worker_is_alive_is_sent_by_the_command_and_that_one_is_again_by_the_worker(receiver, brand):
    channel = make_channel("webhook", f"http://{receiver.name}/", secret="x" * 20)
    make_rule("no_worker", channel)
    make_rule("failed", channel)
    toy(brand, ends="permanent")
    work_off()
    assert run_command() == ""
    assert not Notification.objects.exists()  # a worker is alive, and looks itself
    watch.look(timezone.now())
    work_off()
    assert len(receiver.got) == 1
    receiver.got.clear()
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(seconds=70), stopped_at=timezone.now())
    assert run_command() == ""  # a restart
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(minutes=5))
    pause = Pause.objects.create(job_type="deliver")
    assert run_command() == ""
    pause.delete()
    Pause.objects.create()  # of everything: alarms go on
    assert run_command() == "1 sent.\n"
    assert len(receiver.got) == 1
    assert run_command() == ""
    register_worker()
    assert messages() == [("resolved", "No worker is alive")]


def run_command():
    SourceState.objects.filter(source=watch.TURN_ROW).delete()
    out = StringIO()
    call_command("notify", stdout=out)
    api.hand_back_all()
    return out.getvalue()
