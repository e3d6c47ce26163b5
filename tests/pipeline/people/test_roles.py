"""The roles: what each may do comes from one table by rule, and `migrate` keeps the groups in step with it."""

from itertools import pairwise

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.management import call_command

from pipeline.people import ROLES, assign, brands_for, can_words, limit_to, role_of
from pipeline.people.roles import granted
from tests.factories import make_brand, make_person, make_user

pytestmark = pytest.mark.django_db


def held(group: str) -> set[str]:
    rows = Group.objects.get(name=group).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_groups_hold_what_the_table_says(role):
    assert held(role.name) == granted(role) != set()


def test_each_role_may_do_what_the_one_before_it_may():
    for lower, higher in pairwise(ROLES):
        assert granted(lower) < granted(higher)


@pytest.mark.parametrize(
    ("permission", "who"),
    [
        ("pipeline.view_run", "viewers"),
        ("pipeline.scrape_run", "operators"),
        ("pipeline.cancel_run", "operators"),
        ("competitors.scrape_competitoramazonurl", "operators"),
        ("pipeline.add_job", "managers"),
        ("pipeline.change_concurrencylimit", "managers"),
        ("pipeline.add_pause", "managers"),
        ("pipeline.add_brand", "managers"),
        ("pipeline.accept_run", "managers"),
        ("pipeline.start_again_run", "managers"),
        ("auth.change_user", "admins"),
    ],
)
def test_who_can_is_said_by_the_first_role_that_may(permission, who):
    assert can_words(permission).startswith(f"Only {who} can ")


def test_who_can_do_several_things_is_asked_for_once():
    assert can_words("pipeline.change_job") == "Only managers can change jobs. Ask one."
    both = can_words("pipeline.cancel_run", "pipeline.accept_run")
    assert both == "Only managers can accept results. Only operators can cancel runs. Ask one of them."


def test_every_permission_to_scrape_a_domains_model_is_the_operators():
    """So a new job type's model needs no line in the table."""
    scraping = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.filter(codename__startswith="scrape_")}
    assert scraping - {"pipeline.scrape_platform"} <= granted(ROLES[1])


def test_migrate_puts_back_what_somebody_changed_and_repeats_without_effect():
    viewer = Group.objects.get(name="viewer")
    viewer.permissions.set(Permission.objects.filter(codename="scrape_run"))
    Group.objects.filter(name="manager").delete()
    for _ in range(2):
        call_command("migrate", verbosity=0)
        assert {role.name: held(role.name) for role in ROLES} == {role.name: set(granted(role)) for role in ROLES}


def test_groups_of_other_names_are_left_alone():
    group = Group.objects.create(name="press")
    group.permissions.set(Permission.objects.filter(codename="view_run"))
    call_command("migrate", verbosity=0)
    assert held("press") == {"pipeline.view_run"}


def test_a_person_has_one_of_our_roles_and_keeps_other_groups():
    user = make_user("anna")
    user.groups.add(Group.objects.create(name="press"))
    for name, staff in (("viewer", False), ("manager", True), ("operator", False), ("", False)):
        assign(user, name)
        assert (getattr(role_of(user), "name", ""), user.is_staff) == (name, staff)
    assert [group.name for group in user.groups.all()] == ["press"]


def test_without_a_limit_every_brand_is_open_and_with_one_only_its_brands():
    own, other = make_brand("Own"), make_brand("Other")
    assert other.pk in brands_for(make_person("free", "viewer"))
    limited = brands_for(make_person("bound", "operator", own))
    assert (own.pk in limited, other.pk in limited, None in limited) == (True, False, False)
    assert list(limited.rows()) == [own]


def test_who_loses_the_last_brand_sees_none_instead_of_all():
    own, other = make_brand("Own"), make_brand("Other")
    user = make_person("bound", "operator", own)
    own.delete()
    assert other.pk not in brands_for(user)


def test_the_brands_are_read_once_per_person(django_assert_num_queries):
    user = make_person("bound", "viewer", make_brand("Own"))
    brands_for(user, anew=True)
    with django_assert_num_queries(0):
        brands_for(user)
    limit_to(user, [make_brand("New")])
    assert [brand.name for brand in brands_for(user, anew=True).rows()] == ["New"]


def test_nobody_has_no_brand_and_the_system_has_every():
    brand = make_brand()
    assert brand.pk in brands_for(None)
    assert brand.pk not in brands_for(AnonymousUser())
    user = make_person("gone", "admin")
    user.is_active = False
    assert brand.pk not in brands_for(user)


def test_every_model_of_the_product_is_covered_by_the_viewer():
    models = [model._meta for label in ("pipeline", "competitors") for model in apps.get_app_config(label).get_models()]
    assert {f"{opts.app_label}.view_{opts.model_name}" for opts in models} <= granted(ROLES[0])
