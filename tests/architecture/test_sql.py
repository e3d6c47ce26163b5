"""A few files contain raw SQL. Everywhere else the ORM hides the differences between the databases."""

import ast
import re

import pytest

from tests.architecture.tree import imports, source_files, strings, tree, within

HOMES = {
    "controlplane/sqlite3/base.py",
    "pipeline/contract/landing.py",
    "pipeline/contract/site/search_index.py",
    "pipeline/engine/database.py",
    "pipeline/engine/lifecycle/lease.py",
    "pipeline/engine/lifecycle/ends/one_go.py",
    "pipeline/engine/lifecycle/ends/plain_end.py",
    "pipeline/engine/lifecycle/ends/plain_sleep.py",
    "pipeline/engine/queue/new_work.py",
    "pipeline/engine/queue/next_run/candidates.py",
    "pipeline/engine/queue/claim.py",
    "pipeline/engine/queue/next_run/open_lines.py",
    "pipeline/engine/queue/next_run/pending.py",
    "pipeline/engine/queue/next_run/quick_claim.py",
    "pipeline/engine/queue/stops.py",
    "pipeline/engine/queue/waiter.py",
    "pipeline/management/backups/sqlite.py",
}
EXCEPTIONS = {"controlplane/database.py": "the PRAGMAs of each new SQLite connection are a setting"}
CALLS = {"raw", "extra", "cursor", "executescript", "RawSQL"}
DRIVERS = ("psycopg", "sqlite3", "django.db.models.expressions.RawSQL", "django.db.migrations.RunSQL")
STATEMENT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|MERGE|CREATE|ALTER|DROP|PRAGMA|COPY|LISTEN|NOTIFY)\s")


def raw_sql(module: ast.Module, path: str) -> list[str]:
    calls = [
        name
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        if (name := getattr(node.func, "attr", getattr(node.func, "id", ""))) in CALLS
    ]
    drivers = [name for name in imports(module, path) if within(name, *DRIVERS)]
    return [*(f"{name}()" for name in calls), *drivers, *(found for found in strings(module) if STATEMENT.match(found))]


def test_only_these_files_have_raw_sql():
    broken = [
        f"{path}: {found}"
        for path in source_files("controlplane", "competitors", "pipeline")
        if path not in HOMES | EXCEPTIONS.keys()
        for found in raw_sql(tree(path), path)
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("path", sorted(HOMES | EXCEPTIONS.keys()))
def test_no_exception_outlives_its_reason(path):
    assert raw_sql(tree(path), path), f"{path} has no raw SQL any more: remove it from the list."


@pytest.mark.parametrize(
    "code",
    [
        "Run.objects.raw('x')",
        "with connection.cursor() as cursor: pass",
        "import psycopg",
        "from sqlite3 import connect",
        "do('SELECT 1')",
        "do(f'UPDATE {table} SET x = 1')",
        "do('PRAGMA data_version')",
        "RawSQL('1', [])",
    ],
)
def test_the_rule_can_fail(code):
    assert raw_sql(ast.parse(code), "pipeline/api.py")


@pytest.mark.parametrize(
    "code", ["executor.execute(run, lease)", "Run.objects.update(x=1)", "'''SELECT is a word'''", "say('Update it')"]
)
def test_the_rule_leaves_the_rest_alone(code):
    assert not raw_sql(ast.parse(code), "pipeline/api.py")
