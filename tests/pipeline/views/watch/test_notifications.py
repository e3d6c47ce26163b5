"""The tab Notifications: channels whose addresses are not shown again, rules, the test button, and what became of messages."""

import pytest
from django.contrib.auth import get_user_model

from pipeline import api
from pipeline.contract.errors import NotAllowed
from pipeline.engine.workers.inline import work_off
from pipeline.models import Event, Notification, NotificationChannel, NotificationRule, Run
from tests.factories import make_brand, make_person
from tests.receivers import make_channel, make_rule

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/pipeline/notifications/"
SECRET = "a-secret-of-32-characters-or-so"


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def manager(client, settings):
    settings.NOTIFY_PRIVATE_HOSTS, settings.EMAIL_URL = ["127.0.0.1:9"], "smtp://127.0.0.1"
    client.force_login(make_person("nadia", "manager"))
    return client


def add_channel(client, **fields):
    known = {
        "name": "Ops",
        "kind": "webhook",
        "address": "http://127.0.0.1:9/hook?key=of-the-channel",
        "secret": SECRET,
        "brand": "",
    }
    return client.post(f"{PAGE}channels/new/", {f"channel-{name}": value for name, value in (known | fields).items()})


def add_rule(client, channel="", event="failed", brand=""):
    return client.post(f"{PAGE}rules/new/", {"rule-event": event, "rule-brand": brand, "rule-channel": channel})


def read(client):
    return client.get(PAGE).content.decode()


def test_a_channel_and_a_rule_are_added_tested_switched_and_removed_without_a_script(manager):
    assert "Nobody is told anything yet." in read(manager)
    assert add_channel(manager).status_code == 303
    channel = NotificationChannel.objects.get()
    assert channel.address == "http://127.0.0.1:9/hook?key=of-the-channel"
    assert add_rule(manager, channel.pk).status_code == 303
    rule = NotificationRule.objects.get()
    assert "Runs failed for good" in read(manager)
    tested = manager.post(f"{PAGE}channels/{channel.pk}/test/", follow=True).content.decode()
    run = Run.objects.get()
    assert run.job_type == "deliver"
    assert f"See run {run.pk}" in tested
    assert 'hx-trigger="every 3s"' in tested
    manager.post(f"{PAGE}rules/{rule.pk}/", {"enabled": "0"})
    assert not NotificationRule.objects.get().enabled
    manager.post(f"{PAGE}rules/{rule.pk}/", {"enabled": "1"})
    assert NotificationRule.objects.get().enabled
    manager.post(f"{PAGE}rules/{rule.pk}/remove/")
    manager.post(f"{PAGE}channels/{channel.pk}/remove/")
    assert not NotificationRule.objects.exists() and not NotificationChannel.objects.exists()
    assert Event.objects.filter(kind__startswith="notification", by__username="nadia").count() == 6


def test_a_test_really_goes_to_the_receiver_and_the_page_says_so(manager, receiver):
    channel = make_channel("webhook", f"http://{receiver.name}/", secret=SECRET)
    manager.post(f"{PAGE}channels/{channel.pk}/test/")
    assert "Queued" in read(manager)
    work_off()
    assert len(receiver.got) == 1
    page = read(manager)
    assert "Sent" in page
    assert "hx-get" not in page.partition('id="messages-sent"')[2].partition(">")[0]  # the polling ends


def test_a_message_that_failed_says_why(manager):
    channel = make_channel("webhook", "https://other.example/hook")
    manager.post(f"{PAGE}channels/{channel.pk}/test/")
    work_off()
    assert "Messages may not go to https://other.example." in read(manager)


def test_neither_address_nor_secret_is_in_any_page(manager):
    add_channel(manager)
    pages = read(manager) + manager.get("/pipeline/active/").content.decode()
    assert "127.0.0.1:9/…" in pages
    assert "of-the-channel" not in pages
    assert SECRET not in pages
    assert SECRET not in add_channel(manager, name="").content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"secret": "short"}, "Enter at least 16 characters"),
        ({"address": "https://169.254.169.254/"}, "Messages may not go to https://169.254.169.254."),
        ({"kind": "slack", "address": "https://example.com/x"}, "Messages may not go to https://example.com."),
        ({"kind": "apprise", "address": "json://example.com/"}, "The address must begin with one of: discord://"),
        ({"kind": "apprise", "address": "discord://1/x?template=/etc/passwd"}, "After a ? only"),
        ({"kind": "email", "address": "ann@example.com, nobody"}, "Enter a valid email address."),
        ({"brand": "elsewhere"}, "There is no such brand."),
        ({"name": " "}, "This field is required."),
    ],
)
def test_a_channel_that_could_not_work_is_refused_with_what_to_do(manager, fields, words):
    answer = add_channel(manager, **fields)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not NotificationChannel.objects.exists()


def test_rules_that_make_no_sense_are_refused(manager, brand):
    channel = make_channel("slack", "https://hooks.slack.com/x")
    own = make_channel("slack", "https://hooks.slack.com/x", brand=brand)
    assert "This concerns no single brand." in add_rule(manager, channel.pk, "no_worker", "acme").content.decode()
    assert "Choose a channel" in add_rule(manager, "", "failed").content.decode()
    assert add_rule(manager, channel.pk).status_code == 303
    for again in (("failed", ""), ("failed", "acme")):
        manager.post(f"{PAGE}rules/new/", {"rule-event": again[0], "rule-brand": again[1], "rule-channel": channel.pk})
    add_rule(manager, own.pk, "stale")  # would tell one brand's channel of all brands
    rule = NotificationRule.objects.get()
    assert (rule.event, rule.brand, rule.channel) == ("failed", None, channel)


def test_a_manager_of_one_brand_sees_and_sets_what_is_of_that_brand_alone(client, brand):
    other = make_brand("Other")
    every, theirs = make_channel("slack", "https://hooks.slack.com/every"), make_channel("slack", "https://a.test", brand=other)
    make_rule("failed", every)
    make_rule("stale", theirs, brand=other)
    for scope in (None, other):
        Notification.objects.create(
            channel=every, brand=scope, phase="opened", title=f"Told of {scope}", created_at="2026-01-01T00:00Z"
        )
    client.force_login(make_person("ben", "manager", brand))
    page = read(client)
    assert "Other" not in page
    assert "Told of" not in page
    assert "The slack" not in page
    assert client.post(f"{PAGE}channels/{every.pk}/test/").status_code == 404
    assert client.post(f"{PAGE}channels/{theirs.pk}/remove/").status_code == 404
    slack = {"kind": "slack", "address": "https://hooks.slack.com/mine"}
    assert add_channel(client, **slack).status_code == 422  # a brand must be chosen
    assert add_channel(client, **slack, brand="acme").status_code == 303
    mine = NotificationChannel.objects.get(brand=brand)
    assert add_rule(client, every.pk, "failed", "acme").status_code == 422
    assert add_rule(client, mine.pk, "failed", "acme").status_code == 303
    ben = get_user_model().objects.get(username="ben")
    for act in (api.save_channel, api.send_test, api.remove_notification):
        with pytest.raises(NotAllowed, match="This is for all brands"):
            act(every, ben)
    assert not Run.objects.exists()


def test_an_operator_has_no_such_tab(client):
    client.force_login(make_person("otto", "operator"))
    assert client.get(PAGE).status_code == 403
    assert "Notifications" not in client.get("/pipeline/").content.decode()
