"""The roles: one table, from which `migrate` fills the groups of the same names.

These four groups are ours: what a person adds to or removes from them is undone by the next `migrate`. For other sets of
permissions, make another group.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Group, Permission

from ..contract.registry import all_types


@dataclass(frozen=True)
class Role:
    """`grants`: patterns of permissions, beyond those of the role before. `domain` stands for each app with job types."""

    name: str
    does: str
    grants: tuple[str, ...]
    staff: bool = False  # may open the admin

    def __str__(self) -> str:
        """Whoever has it: 'managers'."""
        return f"{self.name}s"


ROLES = (  # each can do what the one before can
    Role("viewer", "see every page, and download", ("pipeline.view_*", "domain.view_*")),
    Role(
        "operator",
        "scrape within the limits, cancel, retry, and add or edit what is scraped",
        ("pipeline.scrape_run", "pipeline.cancel_run", "domain.scrape_*", "domain.add_*", "domain.change_*"),
    ),
    Role(
        "manager",
        "set schedules, limits, pauses, notifications, brands and how old data may be, accept results, resolve incidents,"
        " pay for another start, archive, remove, and see who did what",
        (
            "pipeline.add_job",
            "pipeline.change_job",
            "pipeline.accept_run",
            "pipeline.manage_incident",
            "pipeline.audit_event",
            "pipeline.start_again_run",
            "pipeline.replay_run",
            "pipeline.scrape_platform",
            "pipeline.*_brand",
            "pipeline.*_concurrencylimit",
            "pipeline.*_pause",
            "pipeline.change_maxage",
            "pipeline.*_notificationchannel",
            "pipeline.*_notificationrule",
            "domain.delete_*",
        ),
        staff=True,
    ),
    Role("admin", "give people their roles and brands", ("pipeline.*", "domain.*", "auth.*_user", "auth.*_group"), staff=True),
)


def domain_apps() -> set[str]:
    """Labels of the other apps that define job types: a new type, or a new app of them, needs no line here."""
    configs = (apps.get_containing_app_config(type(handler).__module__) for handler in all_types())
    return {config.label for config in configs if config} - {"pipeline"}


@cache
def permission_names() -> dict[str, str]:
    """'app.codename' -> 'Can …' of every permission that the models define."""
    names: dict[str, str] = {}
    for model in apps.get_models():
        opts = model._meta
        of_model = [
            (get_permission_codename(action, opts), f"Can {action} {opts.verbose_name_plural}")
            for action in opts.default_permissions
        ]
        names |= {f"{opts.app_label}.{codename}": str(name) for codename, name in [*of_model, *opts.permissions]}
    return names


@cache
def granted(role: Role) -> frozenset[str]:
    """Every permission of the role, as 'app.codename'."""
    patterns = [pattern for one in ROLES[: ROLES.index(role) + 1] for pattern in one.grants]
    found = set()
    for name in permission_names():
        app, _, codename = name.partition(".")
        ruled = f"domain.{codename}" if app in domain_apps() else name
        if any(fnmatchcase(ruled, pattern) for pattern in patterns):
            found.add(name)
    return frozenset(found)


def role_with(permission: str) -> Role:
    """The first role that has it. What no role has, only an admin can hand out."""
    return next((role for role in ROLES if permission in granted(role)), ROLES[-1])


def role_of(user: Any) -> Role | None:
    """The highest of the user's roles; None if there is none."""
    names = {group.name for group in user.groups.all()} if user.pk else set()
    return next((role for role in reversed(ROLES) if role.name in names), None)


def assign(user: Any, name: str) -> None:
    """Give the user this one of our roles ('' for none), and with it the way into the admin. Other groups stay."""
    ours = {role.name for role in ROLES}
    role = next((one for one in ROLES if one.name == name), None)
    user.groups.remove(*user.groups.filter(name__in=ours - {name}))  # only what is there: the audit log tells what was removed
    if role:
        user.groups.add(Group.objects.get(name=role.name))
    user.is_staff = user.is_superuser or bool(role and role.staff)
    user.save(update_fields=["is_staff"])


def sync_groups(sender: Any, **_: Any) -> None:
    """After `migrate`: the groups have just what the table says. Runs once, after the last app whose permissions it needs."""
    wanted_of = domain_apps() | {"pipeline", "auth"}
    # Django sends no signal for an app without models.
    told = [config.label for config in apps.get_app_configs() if config.label in wanted_of and config.models_module]
    if sender.label != told[-1]:
        return
    rows = Permission.objects.filter(content_type__app_label__in=wanted_of)
    ids = {f"{app}.{code}": pk for pk, app, code in rows.values_list("pk", "content_type__app_label", "codename")}
    for role in ROLES:
        group, _new = Group.objects.get_or_create(name=role.name)
        group.permissions.set([ids[name] for name in sorted(granted(role)) if name in ids])
