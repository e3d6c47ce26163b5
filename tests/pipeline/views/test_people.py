"""What one may not do is absent or says who can, and everybody changes their own password."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from pipeline import api
from pipeline.models import Run
from tests.factories import make_brand, make_person, make_user

pytestmark = pytest.mark.django_db


def test_who_has_no_role_is_told_so_and_led_nowhere(client):
    client.force_login(make_user("new"))
    body = client.get("/").content.decode()
    assert "You have no role yet. Ask your admin for one." in body
    assert re.findall(r'class="btn" href="([^"]+)"', body) == []
    assert "Sign out" in body


def test_a_refusal_says_who_can_and_its_button_leads_to_a_page_that_opens(client):
    client.force_login(make_person("vera", "viewer"))
    run = api.queue_one_time_job(make_brand().pk, "toy").run
    answer = client.post(f"{run.get_absolute_url()}cancel/")
    assert answer.status_code == 403
    assert "Only operators can cancel runs. Ask one. Or ask your admin for more access." in answer.content.decode()
    (button,) = re.findall(r'class="btn" href="([^"]+)"', answer.content.decode())
    assert client.get(button).status_code == 200


@pytest.mark.parametrize(
    ("role", "buttons", "words"),
    [
        (
            "viewer",
            set(),
            "Only managers can accept results. Only operators can start scrapes, retry and run again. Ask one of them.",
        ),
        ("operator", {"run_again"}, "Only managers can accept results. Ask one."),
        ("manager", {"run_again", "accept"}, ""),
    ],
)
def test_a_run_offers_what_one_may_do_and_says_who_can_do_the_rest(client, role, buttons, words):
    run = api.queue_one_time_job(make_brand().pk, "toy").run
    Run.objects.filter(pk=run.pk).update(status="completed", verdict="partial", completed_at=timezone.now())
    client.force_login(make_person("anna", role))
    body = client.get(run.get_absolute_url()).content.decode()
    assert set(re.findall(r'id="act-(\w+)"', body)) == buttons
    assert words in body
    assert bool(words) == ("Only managers can" in body)


def test_everybody_changes_their_own_password(client):
    user = make_user("new")
    client.force_login(user)
    assert reverse("password") in client.get(reverse("password")).content.decode()
    new = {"old_password": "pass", "new_password1": "a-longer-one-now", "new_password2": "a-longer-one-now"}
    answer = client.post(reverse("password"), new | {"old_password": "wrong"})
    assert "was entered incorrectly" in answer.content.decode()
    assert "Your password is changed." in client.post(reverse("password"), new, follow=True).content.decode()
    user.refresh_from_db()
    assert user.check_password("a-longer-one-now")
