"""The rooms of competitors/: job types do not know each other, nothing below knows them, and no files import in a ring."""

import ast
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.architecture.tree import files, imports, source, strings, tree, within

JOBS = "competitors.jobs"
BELOW_JOBS = (
    "competitors/models/",
    "competitors/upstream/",
    "competitors/views/",
    "competitors/subject_rows.py",
    "competitors/subject_admin.py",
)
FIXED = ("__init__.py", "apps.py", "checks.py", "urls.py", "admin.py", "migrations", "management", "templatetags")  # Django's
MOST = 9  # files and folders of ours in one folder
LATE = {"competitors/apps.py": "Django wants ready() to import what registers itself"}


def knows_a_job_type(module: ast.Module, path: str) -> list[str]:
    """Another job type, from one; any at all, from below."""
    found = [name for name in imports(module, path) if within(name, JOBS)]
    if path.startswith("competitors/jobs/"):
        return [name for name in found if not within(name, ".".join(path.split("/")[:3]))]
    return found if path.startswith(BELOW_JOBS) else []


def late_imports(module: ast.Module, path: str) -> list[str]:
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    late = [node for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [] if path in LATE else [f"line {node.lineno}" for node in late]


@pytest.mark.parametrize("rule", [knows_a_job_type, late_imports])
def test_no_module_breaks_the_rule(rule):
    broken = [f"{path}: {found}" for path in source("competitors") for found in rule(tree(path), path)]
    assert not broken, "\n".join([f"{rule.__name__}:", *broken])


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (knows_a_job_type, "competitors/jobs/reddit_scrape/service.py", "from ..amazon_review_scrape import parse"),
        (knows_a_job_type, "competitors/models/amazon.py", "from ..jobs.amazon_review_scrape.address import MARKETPLACES"),
        (knows_a_job_type, "competitors/views/panels.py", "import competitors.jobs.amazon_review_scrape.job"),
        (late_imports, "competitors/views/panels.py", "def build():\n    from . import panel"),
    ],
)
def test_each_rule_can_fail(rule, path, code):
    assert rule(ast.parse(code), path)


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (knows_a_job_type, "competitors/jobs/reddit_scrape/service.py", "from .parse import parse_item"),
        (knows_a_job_type, "competitors/admin.py", "from .jobs.amazon_review_scrape import admin"),
        (late_imports, "competitors/apps.py", "def ready():\n    from . import upstream"),
    ],
)
def test_no_rule_refuses_what_is_right(rule, path, code):
    assert not rule(ast.parse(code), path)


@pytest.mark.parametrize("constant", ["NAME", "DATASET"])
def test_a_job_types_name_and_dataset_stand_in_its_job_module_alone(constant):
    for path in source("competitors/jobs"):
        if not path.endswith("/job.py"):
            continue
        value = next(
            ast.literal_eval(node.value.elts[i] if isinstance(node.value, ast.Tuple) else node.value)
            for node in tree(path).body
            if isinstance(node, ast.Assign)
            for i, target in enumerate(getattr(node.targets[0], "elts", node.targets))
            if getattr(target, "id", "") == constant
        )
        again = [other for other in source("competitors") if other != path and value in strings(tree(other))]
        assert [other for other in again if not other.startswith(("competitors/sandbox/", "competitors/management/"))] == []


# ---- rings ---------------------------------------------------------------------------------------------------------------
def graph(modules: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Path -> paths that it imports, anywhere in it; only those among the modules."""
    by_name = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in modules}

    def target(name: str) -> str | None:
        return by_name.get(name) or by_name.get(name.rpartition(".")[0])  # a name that is no module is one in a module

    return {
        path: {found for name in imports(module, path) if (found := target(name))} - {path} for path, module in modules.items()
    }


def ring(edges: dict[str, set[str]]) -> set[str]:
    """Files that are left when all that import nothing of the rest are taken away, again and again."""
    left = dict(edges)
    while free := [path for path, wanted in left.items() if not wanted & left.keys()]:
        for path in free:
            del left[path]
    return set(left)


def test_no_files_import_each_other_in_a_ring():
    assert ring(graph({path: tree(path) for path in source("competitors", "benchmarks")})) == set()


def test_a_ring_is_found():
    code = {
        "a/__init__.py": "",
        "a/b.py": "from . import c",
        "a/c.py": "def late():\n    from .d import x",
        "a/d.py": "import a.b",
    }
    assert ring(graph({path: ast.parse(text) for path, text in code.items()})) == {"a/b.py", "a/c.py", "a/d.py"}


# ---- size ----------------------------------------------------------------------------------------------------------------
def crowded(paths: Iterable[str]) -> dict[str, int]:
    """Folders with more in them than one can take in at a glance."""
    entries = {tuple(path.split("/")[: depth + 1]) for path in paths for depth in range(1, path.count("/") + 1)}
    ours = Counter("/".join(entry[:-1]) for entry in entries if entry[-1] not in FIXED)
    return {folder: count for folder, count in ours.items() if count > MOST}


def test_no_folder_is_crowded():
    assert crowded(path for path in files() if path.startswith("competitors/") and "/sandbox/" not in path) == {}


def test_a_crowded_folder_is_found():
    assert crowded([f"a/b/{number}.py" for number in range(MOST + 1)] + ["a/b/urls.py"]) == {"a/b": MOST + 1}
    assert not crowded([f"a/b/{number}.py" for number in range(MOST)] + ["a/b/urls.py"])
