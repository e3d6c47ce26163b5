"""Guessing passwords: after some failures nothing is hashed any more, at either door, until the time that the page tells."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from pipeline.people.sign_in import OF_ADDRESS, OF_NAME
from pipeline.views.person import sign_in
from tests.factories import make_person

pytestmark = pytest.mark.django_db
DOORS = ["/login/", "/admin/login/"]
HOME, AWAY = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-05-04 12:00:30Z", tick=False) as clock:
        yield clock


@pytest.fixture
def hashed(monkeypatch):
    """The names whose password was looked at."""
    seen = []

    def check(user, password):
        seen.append(user.username)
        return password == "pass"

    monkeypatch.setattr("django.contrib.auth.base_user.AbstractBaseUser.check_password", check)
    monkeypatch.setattr("django.contrib.auth.base_user.AbstractBaseUser.set_password", lambda user, _: seen.append("unknown"))
    return seen


@pytest.fixture
def anna():
    return make_person("anna", "admin")


def try_in(door="/login/", name="anna", password="wrong", address=HOME):
    return Client(REMOTE_ADDR=address).post(door, {"username": name, "password": password})


@pytest.mark.parametrize("door", DOORS)
def test_a_name_is_refused_after_ten_failures_from_anywhere_before_any_hashing(door, anna, hashed):
    for number in range(OF_NAME - 1):
        assert try_in(door, address=f"198.51.100.{number}").status_code == 200
    assert try_in(door).status_code == 429
    assert len(hashed) == OF_NAME
    answer = try_in(door, password="pass", address=AWAY)
    assert answer.status_code == 429
    assert len(hashed) == OF_NAME
    assert try_in(DOORS[0], name="ben").status_code == 200


@pytest.mark.parametrize("door", DOORS)
def test_an_address_is_refused_after_thirty_failures_whatever_the_names(door, anna, hashed):
    for number in range(OF_ADDRESS - 1):
        assert try_in(door, name=f"guess{number}").status_code == 200
    assert try_in(door, name="guess").status_code == 429
    assert try_in(door, password="pass").status_code == 429
    assert len(hashed) == OF_ADDRESS
    assert try_in(door, password="pass", address=AWAY).status_code == 302


def test_the_page_says_when_to_try_again_and_then_it_works(anna, clock):
    for _ in range(OF_NAME):
        answer = try_in()
    assert "Try again at 05:16, in 15 minutes." in answer.content.decode()  # Los Angeles
    assert answer["Retry-After"] == "900"
    clock.shift(timedelta(minutes=14))
    assert "Try again at 05:16, in 1 minute." in try_in(password="pass").content.decode()
    clock.shift(timedelta(seconds=59))
    assert try_in(password="pass").status_code == 429
    clock.shift(timedelta(seconds=2))
    assert try_in(password="pass").status_code == 302


def test_a_refused_try_puts_the_end_off_for_nobody(anna, clock):
    for _ in range(OF_NAME):
        try_in()
    for _ in range(20):
        clock.shift(timedelta(seconds=44))
        assert try_in(address=AWAY).status_code == 429
    clock.shift(timedelta(seconds=21))
    assert try_in(password="pass").status_code == 302


def test_who_signs_in_starts_anew_and_forgets_nobody_elses_failures(anna):
    make_person("ben", "viewer")
    for _ in range(OF_NAME - 1):
        try_in()
        try_in(name="ben")
    assert try_in(password="pass").status_code == 302
    assert try_in().status_code == 200  # anna's first
    assert try_in(name="ben").status_code == 429  # ben's tenth
    for _ in range(OF_ADDRESS - OF_NAME - 1):
        status = try_in(name="none").status_code
    assert status == 429


def test_a_browser_with_another_name_is_the_same_guesser(anna):
    for number in range(OF_NAME):
        answer = Client(REMOTE_ADDR=HOME, HTTP_USER_AGENT=f"agent {number}").post(
            "/login/", {"username": "anna", "password": "x"}
        )
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("addresses", "together"),
    [
        ("2001:db8:1:2::{}", True),
        ("2001:db8:1:{}::1", False),
        ("::ffff:192.0.2.1", True),
        ("fe80::1%eth0", True),
        ("localhost", False),
    ],
)
def test_an_address_of_ipv6_counts_with_its_network_and_none_with_nobody(addresses, together):
    for number in range(OF_ADDRESS):
        answer = try_in(name=f"guess{number}", address=addresses.format(number))
    assert (answer.status_code == 429) == together


def test_a_header_that_anybody_can_send_is_no_address(anna):
    for number in range(OF_ADDRESS):
        headers = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"}
        answer = Client(REMOTE_ADDR=HOME, headers=headers).post("/login/", {"username": f"guess{number}", "password": "x"})
    assert answer.status_code == 429


def test_each_failure_is_a_line_that_repeats_no_typed_password(anna, caplog):
    try_in(address=AWAY)
    try_in(name="my-password-in-the-wrong-field")
    assert "Sign-in failed: anna from 198.51.100.7." in caplog.text
    assert "Sign-in failed: an unknown name from 192.0.2.1." in caplog.text
    assert "my-password" not in caplog.text
    for _ in range(OF_NAME):
        try_in()
    assert "Sign-in failed: anna from 192.0.2.1; refused until 05:15:30." in caplog.text


@pytest.mark.parametrize("door", DOORS)
def test_of_many_who_sign_in_at_once_some_are_asked_to_try_again_and_pages_have_threads(door, anna, hashed, monkeypatch):
    monkeypatch.setattr(sign_in.TURNS, "_seconds", 0)
    with sign_in.TURNS.turn("somebody else"):
        answer = try_in(door, password="pass")
        assert (answer.status_code, answer["Retry-After"], hashed) == (429, "3", [])
        assert "Many people are signing in right now." in answer.content.decode()
        assert Client().get(door).status_code == 200
    for _ in range(3):
        try_in(door)
    assert try_in(door, password="pass").status_code == 302


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000, "ä€😀"])
def test_a_name_that_cannot_be_is_no_error(name):
    assert try_in(name=name).status_code == 200
