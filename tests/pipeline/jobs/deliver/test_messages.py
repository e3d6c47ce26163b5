"""Messages arrive: over real SMTP and HTTP, grouped, with what is resolved, once each, and none elsewhere than is allowed."""

import hashlib
import hmac
import json
import logging
from datetime import timedelta

import apprise
import pytest
from django.db.models import TextField
from django.db.models.functions import Concat
from django.utils import timezone

from pipeline import api
from pipeline.api.oversight import notifications
from pipeline.engine.execution import context
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.jobs.deliver import watch
from pipeline.models import Attempt, Notification, NotificationChannel, Run, RunLog, Trouble
from tests.receivers import make_channel, make_rule

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "the-secret-that-signs"


@pytest.fixture
def webhook(receiver):
    return make_channel("webhook", f"http://{receiver.name}/hook?key=of-the-receiver", secret=SECRET)


def told(receiver):
    """What the webhook was told: phase and title."""
    return [(one["phase"], one["title"]) for one in (json.loads(body) for _, body in receiver.got)]


def toys(brand, *names, ends="permanent"):
    for name in names:
        api.queue_one_time_job(brand.pk, "toy", {"name": name, "ends": ends})
    work_off()


def look(minutes=0):
    watch.look(timezone.now() + timedelta(minutes=minutes))
    work_off()


def test_failed_runs_of_one_cause_are_one_message_and_their_recovery_another(brand, webhook, receiver):
    make_rule("failed", webhook)
    toys(brand, "owl", "fox", "bear")
    look()
    look()
    assert told(receiver) == [("opened", "3 Toy runs failed of one cause")]
    toys(brand, "wolf")
    look()
    assert len(receiver.got) == 1
    toys(brand, "owl", "fox", "bear", "wolf", ends="ok")
    look()
    look()
    assert told(receiver)[1:] == [("resolved", "3 Toy runs failed of one cause")]
    first, second = (json.loads(body) for _, body in receiver.got)
    assert second["after"] == first["id"]
    toys(brand, "owl")
    look()
    assert told(receiver)[2:] == [("opened", "Toy failed: Acme, toy owl")]


def test_several_new_troubles_are_one_message(brand, webhook, receiver):
    make_rule("failed", webhook)
    toys(brand, "owl")
    toys(brand, "fox", ends="bug")
    Run.objects.filter(status="pending").update(due_at=timezone.now(), attempt=4)
    work_off()
    look()
    ((phase, title),) = told(receiver)
    assert (phase, title.endswith(", and 1 more")) == ("opened", True)
    assert Trouble.objects.count() == 2
    api.queue_one_time_job(brand.pk, "marble", {"name": "blue", "ends": "permanent"})
    work_off()
    look()
    assert told(receiver)[1:] == [("opened", "Marble failed: Acme, toy blue")]


def test_a_webhook_is_signed_with_its_time_and_names_the_message(brand, webhook, receiver):
    notifications.send_test(webhook, None)
    work_off()
    ((headers, body),) = receiver.got
    stamp, sent = (part.partition("=")[2] for part in headers["X-Controlplane-Signature"].split(","))
    assert hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest() == sent
    assert abs(int(stamp) - timezone.now().timestamp()) < 60
    message = Notification.objects.get()
    assert headers["X-Controlplane-Id"] == str(message.pk) == json.loads(body)["id"]
    assert message.sent_at
    assert Run.objects.get(pk=message.run_id).summary == "Sent to The webhook."


def test_slack_gets_text_in_which_nothing_of_others_is_a_command(brand, receiver):
    slack = make_channel("slack", f"http://{receiver.name}/services/T0/B0/x")
    make_rule("failed", slack)
    toys(brand, "<!channel> & co")
    look()
    ((_, body),) = receiver.got
    text = json.loads(body)["text"]
    assert "*Toy failed: Acme, toy &lt;!channel&gt; &amp; co*" in text
    assert "/pipeline/incidents/" in text


def test_an_e_mail_goes_to_every_address_and_its_resolved_is_in_the_same_thread(brand, inbox):
    make_rule("failed", make_channel("email", "ann@example.com, ben@example.com"))
    toys(brand, "owl")
    look()
    toys(brand, "owl", ends="ok")
    look()
    (to, first), (_, second) = inbox.mails
    assert to == ["ann@example.com", "ben@example.com"]
    assert first["Subject"] == "Toy failed: Acme, toy owl"
    assert "There is no such toy." in first.get_content()
    assert "http://127.0.0.1:8000/pipeline/incidents/" in first.get_content()
    assert second["Subject"] == "Resolved: Toy failed: Acme, toy owl"
    assert second["In-Reply-To"] == first["Message-ID"]


def test_another_service_is_reached_by_apprise_if_its_scheme_is_allowed(monkeypatch, settings):
    said = []
    monkeypatch.setattr(
        apprise.plugins.N_MGR["discord"], "send", lambda self, body, title="", **_: said.append((title, body)) or True
    )
    channel = make_channel("apprise", "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js")
    notifications.send_test(channel, None)
    work_off()
    assert [title for title, _ in said] == ["A test message for The apprise"]
    settings.NOTIFY_APPRISE_SCHEMES = ["tgram"]
    notifications.send_test(channel, None)
    work_off()
    assert len(said) == 1
    assert Run.objects.latest("pk").error_message.startswith("The address must begin with one of: tgram://")
    settings.NOTIFY_APPRISE_SCHEMES = ["discord"]
    NotificationChannel.objects.update(address=channel.address + "?template=/etc/passwd")
    notifications.send_test(NotificationChannel.objects.get(), None)
    work_off()
    assert len(said) == 1
    assert Run.objects.latest("pk").error_message.startswith("After a ? only")


def test_another_service_cannot_lead_elsewhere(monkeypatch, receiver):
    monkeypatch.setattr(apprise.plugins.N_MGR["discord"], "notify_url", f"http://{receiver.name}/hooks")
    receiver.answers = [307]
    notifications.send_test(make_channel("apprise", "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"), None)
    work_off()
    assert len(receiver.got) == 1


def test_a_receiver_that_is_down_gets_the_message_by_a_later_try(brand, webhook, receiver):
    receiver.answers = [503, 429]
    run = notifications.send_test(webhook, None).run
    for _ in range(3):
        work_off()
        Run.objects.filter(pk=run.pk, status="pending").update(due_at=timezone.now(), order_at=timezone.now())
    assert len(receiver.got) == 3
    outcomes = list(Attempt.objects.filter(run=run).values_list("outcome", "error"))
    assert outcomes == [
        ("failed", f"{receiver.name} answered 503."),
        ("failed", f"{receiver.name} answered 429."),
        ("completed", ""),
    ]


@pytest.mark.parametrize("answer", [404, 307])
def test_a_receiver_that_refuses_gets_no_second_try_and_no_redirect_is_followed(webhook, receiver, answer):
    receiver.answers = [answer]
    run = notifications.send_test(webhook, None).run
    work_off()
    assert Run.objects.get(pk=run.pk).status == "failed"
    assert len(receiver.got) == 1


def test_a_message_of_a_worker_that_died_before_sending_is_sent_by_the_next(webhook, receiver, monkeypatch):
    run = notifications.send_test(webhook, None).run
    monkeypatch.setattr("pipeline.jobs.deliver.job.send", die)
    with pytest.raises(Killed):
        work_one()
    assert receiver.got == []
    monkeypatch.undo()
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work_off()
    assert len(receiver.got) == 1
    assert Notification.objects.get().sent_at


def test_a_message_of_a_worker_that_died_after_sending_comes_again_with_the_same_id(webhook, receiver, monkeypatch):
    run = notifications.send_test(webhook, None).run
    monkeypatch.setattr(context.Step.objects, "update_or_create", die)
    with pytest.raises(Killed):
        work_one()
    monkeypatch.undo()
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work_off()
    assert len(receiver.got) == 2
    assert len({headers["X-Controlplane-Id"] for headers, _ in receiver.got}) == 1


class Killed(BaseException): ...


def die(*args, **kwargs):
    raise Killed


def test_what_is_resolved_waits_for_the_message_that_it_follows(brand, webhook, receiver):
    make_rule("failed", webhook)
    receiver.answers = [503]
    toys(brand, "owl")
    look()
    toys(brand, "owl", ends="ok")
    look()
    first = Run.objects.get(pk=Notification.objects.get(phase="opened").run_id)
    assert told(receiver) == [("opened", "Toy failed: Acme, toy owl")]
    Run.objects.filter(pk=first.pk).update(due_at=timezone.now(), order_at=timezone.now())
    work_off()
    Run.objects.filter(job_type="deliver", status="pending").update(due_at=timezone.now(), order_at=timezone.now())
    work_off()
    assert [phase for phase, _ in told(receiver)] == ["opened", "opened", "resolved"]


def test_no_address_and_no_secret_of_a_channel_is_in_a_row_a_log_or_a_message(webhook, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    receiver.answers = [503]
    notifications.send_test(webhook, None)
    work_off()
    stored = NotificationChannel.objects.annotate(raw=Concat("address", "secret", output_field=TextField())).values_list("raw")
    said = str([*stored, *RunLog.objects.values_list("message"), *Run.objects.values(), *Attempt.objects.values()]) + caplog.text
    assert "of-the-receiver" not in said
    assert SECRET not in said
