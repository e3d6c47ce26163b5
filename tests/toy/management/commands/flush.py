"""`flush` for tests, after each of a thousand that commit: it deletes rows and leaves what `migrate` made.

Django's own empties every table by TRUNCATE, which makes new files for each, and writes content types and permissions anew.
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush
from django.db import connection, transaction
from django.db.models import Count, Sum

from pipeline.people import ROLES, sync_groups

LARGE = 65_536  # bytes: so many deleted rows would change how PostgreSQL plans
MADE_BY_MIGRATE = {model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)}


class Command(flush.Command):
    groups: tuple[Any, ...] = ()  # what roles grant, as last written

    def handle(self, **options: Any) -> None:
        tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - MADE_BY_MIGRATE
        quoted = [connection.ops.quote_name(table) for table in tables]
        with transaction.atomic(), connection.cursor() as cursor:  # foreign keys are checked at its end
            if connection.vendor == "postgresql":
                cursor.execute("SELECT max(pg_relation_size(oid)) FROM pg_class WHERE relname = ANY(%s)", [list(tables)])
                if cursor.fetchone()[0] > LARGE:
                    cursor.execute(f"TRUNCATE {', '.join(quoted)}")
                cursor.execute("; ".join(f"DELETE FROM {table}" for table in quoted))
            else:
                for table in quoted:
                    cursor.execute(f"DELETE FROM {table}")
            if granted() != Command.groups:  # hardly any test changes them
                Group.objects.exclude(name__in=[role.name for role in ROLES]).delete()
                for app in apps.get_app_configs():
                    sync_groups(app)
                Command.groups = granted()


def granted() -> tuple[Any, ...]:
    """Changes with every group and grant that is added or removed."""
    each = Group.permissions.through.objects.aggregate(count=Count("pk"), sum=Sum("pk"))
    return *each.values(), *Group.objects.order_by("pk").values_list("pk", "name")
