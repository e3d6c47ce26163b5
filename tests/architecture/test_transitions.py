"""Only the lifecycle and the claim change a run's state, by conditional updates. Whoever saves a whole row overwrites others."""

import ast

import pytest

from tests.architecture.tree import source_files, tree

HOMES = ("pipeline/engine/lifecycle/", "pipeline/engine/queue/claim.py")
STATE = {"status", "lease_token", "lease_expires_at"}


def root(node: ast.expr) -> str:
    """`Run.objects` of Run.objects.filter(…).exclude(…)."""
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Attribute) and node.attr == "objects":
            return ast.unparse(node)
        node = node.func if isinstance(node, ast.Call) else node.value
    return ""


def of_state(module: ast.Module) -> list[str]:
    """Updates of a run's state, and saves over an existing run."""
    found = []
    for node in ast.walk(module):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        on, written = node.func.value, {keyword.arg for keyword in node.keywords}
        if (node.func.attr == "update" and root(on).split(".")[-2:] == ["Run", "objects"] and written & STATE) or (
            node.func.attr in {"save", "asave"} and ast.unparse(on).rpartition(".")[2] == "run" and "force_insert" not in written
        ):
            found.append(ast.unparse(node))
    return found


def test_runs_change_state_in_one_place():
    broken = [
        f"{path}: {found}"
        for path in source_files("pipeline", "competitors")
        if not path.startswith(HOMES)
        for found in of_state(tree(path))
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    "code", ["run.save()", "self.run.save()", "Run.objects.filter(pk=1).update(status=x)", "models.Run.objects.update(status=1)"]
)
def test_the_rule_can_fail(code):
    assert of_state(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "job.save()",
        "run.save(force_insert=True)",
        "UpstreamRun.objects.update(status=1)",
        "Run.objects.filter(status=1).update(progress={})",
    ],
)
def test_the_rule_leaves_the_rest_alone(code):
    assert not of_state(ast.parse(code))
