"""People in the admin: a role and a brand limit each; who is limited, or less than an admin, reaches nobody above them."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from pipeline.people import assign, brands_for, role_of
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db
DATES = {"last_login_0": "", "last_login_1": "", "date_joined_0": "2026-05-04", "date_joined_1": "12:00:00"}
INLINE = {"brand_limit-TOTAL_FORMS": "1", "brand_limit-INITIAL_FORMS": "0"}


@pytest.fixture
def admin(client):
    client.force_login(make_person("ada", "admin"))
    return client


def form(user, **fields):
    return {"username": user.username, "is_active": "on"} | DATES | INLINE | fields


def test_an_admin_gives_a_role_and_a_brand_limit(admin):
    ben, own, other = make_person("ben", "viewer"), make_brand("Own"), make_brand("Other")
    ben.groups.add(press := Group.objects.create(name="press"))
    address = reverse("admin:auth_user_change", args=[ben.pk])
    assert 'value="viewer" selected' in admin.get(address).content.decode()
    limit = {"brand_limit-0-brands": [str(own.pk)], "brand_limit-0-user": ben.pk}
    assert admin.post(address, form(ben, role="manager", groups=[press.pk], **limit)).status_code == 302
    ben = User.objects.get(pk=ben.pk)
    assert (role_of(ben).name, ben.is_staff, other.pk in brands_for(ben)) == ("manager", True, False)
    assert set(ben.groups.values_list("name", flat=True)) == {"manager", "press"}


def test_without_a_choice_of_brands_no_limit_is_made(admin):
    ben = make_person("ben", "viewer")
    admin.post(reverse("admin:auth_user_change", args=[ben.pk]), form(ben, role="operator"))
    ben = User.objects.get(pk=ben.pk)
    assert (role_of(ben).name, brands_for(ben).every) == ("operator", True)


def test_an_admin_adds_a_person_with_a_role(admin):
    new = {"username": "mia", "usable_password": "true", "password1": "a-longer-one-now", "password2": "a-longer-one-now"}
    assert admin.post(reverse("admin:auth_user_add"), new | INLINE | {"role": "operator"}).status_code == 302
    assert role_of(User.objects.get(username="mia")).name == "operator"


def test_only_a_superuser_changes_a_superuser(admin):
    root = User.objects.create_superuser("root", password="pass")
    for what in ("auth_user_change", "auth_user_delete"):
        assert admin.post(reverse(f"admin:{what}", args=[root.pk]), form(root, role="", post="yes")).status_code == 403
    address = reverse("admin:auth_user_password_change", args=[root.pk])
    assert admin.post(address, {"password1": "a-longer-one-now", "password2": "a-longer-one-now"}).status_code == 403
    assert User.objects.get(pk=root.pk).check_password("pass")


def test_nobody_makes_themselves_a_superuser(admin):
    ada = User.objects.get(username="ada")
    admin.post(reverse("admin:auth_user_change", args=[ada.pk]), form(ada, role="admin", is_superuser="on"))
    assert not User.objects.get(pk=ada.pk).is_superuser


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_who_is_limited_to_some_brands_manages_nobody(client, role):
    ben = make_person("ben", role, make_brand("Own"))
    client.force_login(ben)
    assert client.get(reverse("admin:auth_user_change", args=[ben.pk])).status_code == 403
    assert not brands_for(User.objects.get(pk=ben.pk)).every


def test_the_groups_of_the_roles_are_read_only(admin):
    address = reverse("admin:auth_group_change", args=[Group.objects.get(name="viewer").pk])
    assert admin.post(address, {"name": "viewer", "permissions": []}).status_code == 403


def test_a_superuser_stays_in_the_admin_whatever_role_they_get():
    root = User.objects.create_superuser("root", password="pass")
    assign(root, "viewer")
    assert root.is_staff


def act(client, action, *people):
    data = {"action": action, "_selected_action": [person.pk for person in people]}
    return client.post(reverse("admin:auth_user_changelist"), data, follow=True).content.decode()


def test_an_admin_signs_people_out_everywhere_but_no_superuser(admin):
    ben, root = make_person("ben", "viewer"), User.objects.create_superuser("root", password="pass")
    browsers = [Client(), Client()]
    for browser, person in zip(browsers, (ben, root), strict=True):
        browser.force_login(person)
    body = act(admin, "end_sessions", ben, root)
    assert "Signed out everywhere: ben. Sessions ended: 1." in body
    assert "Only a superuser does this for a superuser." in body
    assert [browser.get(reverse("password")).status_code for browser in browsers] == [302, 200]


def test_an_admin_lets_somebody_try_again_at_once(admin):
    make_person("ben", "viewer")
    for _ in range(10):
        answer = Client().post("/login/", {"username": "ben", "password": "wrong"})
    assert answer.status_code == 429
    assert "Failed sign-ins forgotten: ben." in act(admin, "forget_failures", User.objects.get(username="ben"))
    assert Client().post("/login/", {"username": "ben", "password": "pass"}).status_code == 302


def test_a_manager_signs_out_nobody_else(client):
    ben, browser = make_person("ben", "viewer"), Client()
    browser.force_login(ben)
    client.force_login(make_person("mia", "manager"))
    act(client, "end_sessions", ben)
    assert browser.get(reverse("password")).status_code == 200
