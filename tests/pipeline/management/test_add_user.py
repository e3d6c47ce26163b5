"""manage.py add_user: a person with a role, perhaps limited to some brands; the password never stands on the command line."""

import re

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command
from django.http import HttpRequest

from pipeline.models import Run
from pipeline.people import brands_for, role_of
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db


def add(capsys, *arguments):
    call_command("add_user", *arguments)
    return capsys.readouterr().out


def test_a_password_is_made_up_and_shown_once(capsys):
    said = add(capsys, "anna", "--role", "operator")
    user = authenticate(HttpRequest(), username="anna", password=re.search(r"shown only now: (\S+)", said)[1])
    assert (role_of(user).name, user.is_staff, user.is_superuser, brands_for(user).every) == ("operator", False, False, True)


def test_a_typed_password_is_checked_and_never_shown(capsys, monkeypatch):
    typed = iter(["12345", "12345", "a-long-enough-one", "a-long-enough-0ne", "a-long-enough-one", "a-long-enough-one"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert "a-long-enough-one" not in add(capsys, "mia", "--role", "manager")
    user = authenticate(HttpRequest(), username="mia", password="a-long-enough-one")
    assert (role_of(user).name, user.is_staff) == ("manager", True)


def test_the_brands_limit_the_person(capsys):
    own, other, third = make_brand("Own"), make_brand("Other"), make_brand("Third")
    add(capsys, "ben", "--role", "viewer", "--brand", "own", "--brand", "other")
    open_to = brands_for(get_user_model().objects.get(username="ben"))
    assert (own.pk in open_to, other.pk in open_to, third.pk in open_to) == (True, True, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["anna", "--role", "boss"], "invalid choice"),
        (["anna", "--role", "viewer", "--brand", "nobody"], "there is no brand 'nobody'. Known: own"),
        (["taken", "--role", "viewer"], "already exists"),
        (["", "--role", "viewer"], "cannot be blank"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_added(capsys, arguments, words):
    make_brand("Own")
    make_person("taken", "viewer")
    with pytest.raises(CommandError, match=words):
        add(capsys, *arguments)
    assert get_user_model().objects.count() == 1


def test_run_job_acts_for_a_person_within_their_brands(capsys):
    own = make_brand("Own")
    make_brand("Other")
    make_person("ben", "operator", own)
    make_person("eve", "viewer", own)
    call_command("run_job", "toy", "--brand", "own", "--by", "ben")
    assert Run.objects.get().created_by.username == "ben"
    for arguments, words in (
        (["--brand", "other", "--by", "ben"], "There is no brand 'other'. Known: own."),
        (["--by", "ben"], "This is for no single brand"),
        (["--brand", "own", "--by", "eve"], "Only operators can start scrapes"),
        (["--brand", "own", "--by", "zoe"], "There is no person 'zoe'."),
    ):
        with pytest.raises(CommandError, match=re.escape(words)):
            call_command("run_job", "toy", *arguments, "--param", "name=owl")
    assert Run.objects.count() == 1
