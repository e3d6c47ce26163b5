"""What one may not do is absent or says who can; everybody changes their own password, and signs out everywhere."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
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


def test_a_form_on_a_page_that_refuses_another_form_does_not_lead_back_to_it(client):
    """That address takes no GET."""
    client.force_login(make_person("vera", "viewer"))
    for page in (client.get("/pipeline/active/"), client.post(reverse("password"), {})):
        kept = re.findall(r'name="next" value="([^"]*)"', page.content.decode())
        assert set(kept) == ({"/pipeline/active/"} if page.request["REQUEST_METHOD"] == "GET" else {""})


def test_updates_are_paused_and_resumed_for_the_session_on_every_page_that_has_them(client):
    client.force_login(make_person("vera", "viewer"))
    assert "data-paused" not in client.get("/pipeline/active/").content.decode()
    answer = client.post(reverse("updates"), {"updates": "pause", "next": "/pipeline/active/?job_type=toy"})
    assert (answer.status_code, answer["Location"]) == (303, "/pipeline/active/?job_type=toy")
    for page in ("/", "/pipeline/", "/pipeline/active/", "/pipeline/freshness/"):
        body = client.get(page).content.decode()
        assert '<body class="app" hx-ext="change" data-paused>' in body, page
        assert "Resume updates" in body
    client.post(reverse("updates"), {"updates": "resume"})
    body = client.get("/pipeline/active/").content.decode()
    assert ("data-paused" in body, "Pause updates" in body) == (False, True)


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


def test_signing_out_everywhere_ends_all_of_ones_sessions_and_nobody_elses(client):
    user, other = make_person("anna", "viewer"), Client()
    elsewhere = Client()
    for browser in (client, elsewhere):
        browser.force_login(user)
    other.force_login(make_person("ben", "viewer"))
    assert 'formaction="/logout/everywhere/"' in client.get(reverse("password")).content.decode()
    assert "You are signed out everywhere." in client.post(reverse("logout_everywhere"), follow=True).content.decode()
    assert [one.get(reverse("password")).status_code for one in (client, elsewhere, other)] == [302, 302, 200]
    client.force_login(user)
    assert client.get(reverse("password")).status_code == 200


def test_who_does_nothing_is_signed_out_and_an_open_page_is_nothing_done(client, settings):
    settings.SESSION_IDLE_MINUTES = 30
    page, poll = reverse("password"), {"HX-Request": "true"}
    with time_machine.travel("2026-05-04 12:00Z", tick=False) as clock:
        client.force_login(make_person("anna", "viewer"))
        assert client.get(page).status_code == 200
        for minutes in (25, 25):  # each page puts the end off
            clock.shift(timedelta(minutes=minutes))
            assert client.get(page).status_code == 200
        for minutes, status in ((20, 200), (9, 200), (2, 302)):
            clock.shift(timedelta(minutes=minutes))
            assert client.get(page, headers=poll).status_code == status
        assert client.get(page).status_code == 302


def test_no_page_of_a_minute_writes_the_session_again(client, settings, django_assert_max_num_queries):
    settings.SESSION_IDLE_MINUTES = 30
    client.force_login(make_user("new"))
    client.get(reverse("password"))
    with django_assert_max_num_queries(9) as asked:
        client.get(reverse("password"))
    assert [query["sql"] for query in asked if not query["sql"].startswith("SELECT")] == []


@pytest.mark.parametrize("address", ["/", "/login/", "/pipeline/runs.csv", "/admin/", "/nowhere/"])
def test_no_cache_keeps_a_page(client, address):
    client.force_login(make_person("ada", "admin"))
    kept = client.get(address, follow=address == "/login/")["Cache-Control"]
    assert "no-store" in kept
    assert "private" in kept
