"""The rooms: which folder may import which, no ring of files, no import inside a function, and no crowded folder.

An import counts wherever it stands: late ones and those for the type checker too.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.architecture.tree import files, imports, modules, source_files, strings, text, tree, within

PIPELINE = (  # lowest first; a file imports its own folder and lower levels
    ("pipeline.states", "pipeline.words"),
    ("pipeline.models", "pipeline.templatetags"),
    ("pipeline.contract",),
    ("pipeline.people",),
    ("pipeline.engine",),
    ("pipeline.api", "pipeline.queries"),
    ("pipeline.jobs",),
    ("pipeline.views", "pipeline.admin", "pipeline.checks"),
    ("pipeline.urls", "pipeline.apps", "pipeline.management"),
)
ENGINE = (
    ("pipeline.engine.database",),
    ("pipeline.engine.journal",),
    ("pipeline.engine.scheduling", "pipeline.engine.incidents"),
    ("pipeline.engine.lifecycle",),
    ("pipeline.engine.upstreams",),
    ("pipeline.engine.queue", "pipeline.engine.execution"),
    ("pipeline.engine.workers",),
)
COMPETITORS = (
    ("competitors.models", "competitors.sandbox", "competitors.checks", "competitors.reading", "competitors.scoring"),
    ("competitors.upstream",),
    ("competitors.steps",),
    ("competitors.views",),
    ("competitors.subject_admin", "competitors.templatetags"),
    ("competitors.jobs",),
    ("competitors.urls", "competitors.admin", "competitors.apps", "competitors.management"),
)
MAY_IMPORT_ENGINE = (
    "pipeline.engine",
    "pipeline.api",
    "pipeline.queries",
    "pipeline.apps",
    "pipeline.management.commands.worker",
)
COMPETITORS_MAY_USE = (
    "pipeline.api",
    "pipeline.queries",
    "pipeline.contract",
    "pipeline.models",
    "pipeline.people",
    "pipeline.states",
    "pipeline.words",
    "pipeline.admin.base",
    "pipeline.views.access",
    "pipeline.views.exports",
    "pipeline.views.live",
    "pipeline.views.schedules.form",
)
LATE = {  # functions that may import: what they need exists only then
    "pipeline/apps.py": {"ready"},
    "competitors/apps.py": {"ready"},
}
JOB_TYPES = ("competitors.jobs", "pipeline.jobs")
DOMAIN_WORDS = ("competitor", "listing", "amazon", "apify", "facebook", "meta_", "reddit", "review")
AT_MOST = 9  # files and folders of ours in one folder
FIXED_BY_DJANGO = {"__init__", "apps", "checks", "urls", "migrations", "management", "templatetags", "__main__"}
FIXED_IN_AN_APP = FIXED_BY_DJANGO | {"admin", "jobs"}
SEVERAL_ACTORS = "competitors/sandbox"
PRODUCT = source_files("controlplane", "competitors", "pipeline")
CODE = source_files("controlplane", "competitors", "pipeline", "tests", "benchmarks")


def dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def level(name: str, levels: tuple[tuple[str, ...], ...]) -> tuple[int, str] | None:
    """Which level a module belongs to, and its folder there."""
    return next(((number, room) for number, rooms in enumerate(levels) for room in rooms if within(name, room)), None)


def upward(module: ast.Module, path: str) -> list[str]:
    """Imports of a higher level, or of a neighbor on the same one."""
    broken = []
    for levels in (PIPELINE, ENGINE, COMPETITORS):
        if (mine := level(dotted(path), levels)) is None:
            continue
        for name in imports(module, path):
            its = level(name, levels)
            if its and its[1] != mine[1] and its[0] >= mine[0]:
                broken.append(name)
    return broken


def over_the_wall(module: ast.Module, path: str) -> list[str]:
    """What uses the engine past its doors."""
    names = list(imports(module, path))
    if within(dotted(path), "competitors"):
        return [name for name in names if within(name, "pipeline") and not within(name, *COMPETITORS_MAY_USE)]
    if within(dotted(path), "pipeline") and not within(dotted(path), *MAY_IMPORT_ENGINE):
        return [name for name in names if within(name, "pipeline.engine")]
    return []


def between_job_types(module: ast.Module, path: str) -> list[str]:
    """Imports of one job type by another."""
    own = ".".join(dotted(path).split(".")[:3])
    if not within(own, *JOB_TYPES) or own in JOB_TYPES:
        return []
    return [name for name in imports(module, path) if within(name, *JOB_TYPES) and not within(name, own)]


def late(module: ast.Module, path: str) -> list[str]:
    """Imports inside functions."""
    allowed = LATE.get(path, set())
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name not in allowed]
    return [
        f"{function.name}: {ast.unparse(node)}"
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def domain_words(module: ast.Module, path: str) -> list[str]:
    """Names of the domain or of an upstream, in names and in strings, docstrings included."""
    if not within(dotted(path), "pipeline"):
        return []
    words = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    words |= {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    words |= {node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return [word for word in words for domain in DOMAIN_WORDS if domain in word.lower()]


def ring(graph: dict[str, set[str]]) -> set[str]:
    """What is left when files that import none of the others, or that none of the others imports, are taken away repeatedly."""
    left = {path: set(wanted) for path, wanted in graph.items()}
    while True:
        imported = set().union(*left.values())
        free = [path for path, wanted in left.items() if not wanted & left.keys() or path not in imported]
        if not free:
            return set(left)
        for path in free:
            del left[path]


def constants(module: ast.Module) -> dict[str, str]:
    """NAME = "x", and NAME, DATASET = "x", "y"."""
    found: dict[str, Any] = {}
    for node in module.body:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            pairs = (
                zip(target.elts, value.elts, strict=True)
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
                else [(target, value)]
            )
            found |= {
                name.id: text.value for name, text in pairs if isinstance(name, ast.Name) and isinstance(text, ast.Constant)
            }
    return found


def graph_of(paths: list[str]) -> dict[str, set[str]]:
    known = {dotted(path): path for path in paths}
    return {path: {known[name] for name in modules(tree(path), path, known) if known[name] != path} for path in paths}


def crowded(paths: list[str]) -> Iterator[str]:
    inside: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder, entry = "/".join(parts[:depth]), parts[depth].removesuffix(".py")
            if entry not in (FIXED_IN_AN_APP if depth == 1 else FIXED_BY_DJANGO):
                inside[folder].add(entry)
    for folder, entries in inside.items():
        if len(entries) > AT_MOST and not folder.startswith(SEVERAL_ACTORS):
            yield f"{folder}: {len(entries)} files and folders ({', '.join(sorted(entries))})"


@pytest.mark.parametrize("rule", [upward, over_the_wall, between_job_types, late, domain_words])
def test_no_module_breaks_the_rule(rule):
    broken = [f"{path}: {found}" for path in PRODUCT for found in rule(tree(path), path)]
    assert not broken, "\n".join([f"{rule.__name__}:", *broken])


def test_no_page_of_the_engine_names_the_domain():
    pages = [path for path in files() if path.startswith(("templates/pipeline/", "templates/base.html", "templates/_"))]
    assert pages
    assert [(path, word) for path in pages for word in DOMAIN_WORDS if word in text(path).lower().replace("preview", "")] == []


def test_every_module_of_pipeline_belongs_to_a_level():
    assert [
        path for path in source_files("pipeline") if dotted(path) != "pipeline" and level(dotted(path), PIPELINE) is None
    ] == []


def test_every_module_of_competitors_belongs_to_a_level():
    paths = source_files("competitors")
    assert [path for path in paths if dotted(path) != "competitors" and level(dotted(path), COMPETITORS) is None] == []


def test_every_module_of_the_engine_belongs_to_a_level():
    engine = [path for path in source_files("pipeline/engine") if dotted(path) != "pipeline.engine"]
    assert [path for path in engine if level(dotted(path), ENGINE) is None] == []


def test_no_files_import_each_other_in_a_ring():
    assert ring(graph_of(CODE)) == set()


def test_no_folder_is_crowded():
    assert list(crowded(PRODUCT)) == []


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (upward, "pipeline/engine/journal.py", "from .scheduling import ticks"),
        (upward, "pipeline/engine/queue/claim.py", "from ..execution import executor"),
        (upward, "pipeline/engine/lifecycle/state.py", "if TYPE_CHECKING:\n    from ..upstreams.ledger import adopt"),
        (upward, "pipeline/contract/registry.py", "def late():\n    from ..engine.execution.context import WorkerContext"),
        (upward, "pipeline/models/runs.py", "from ..contract import Context"),
        (upward, "pipeline/api/runs.py", "from ..queries import run_row"),
        (upward, "pipeline/queries/runs.py", "from ..api import cancel"),
        (upward, "competitors/models/amazon.py", "from ..jobs.amazon_review_scrape.address import parse"),
        (upward, "competitors/upstream/apify.py", "from ..jobs import amazon_review_scrape"),
        (over_the_wall, "competitors/urls.py", "from pipeline.engine.queue import claim"),
        (over_the_wall, "competitors/views/access.py", "from pipeline.views.search import search"),
        (over_the_wall, "pipeline/views/search.py", "from ..engine.journal import log"),
        (over_the_wall, "pipeline/admin/jobs.py", "from .. import engine"),
        (between_job_types, "competitors/jobs/a/job.py", "from ..b import service"),
        (between_job_types, "pipeline/jobs/a/job.py", "from ..b import service"),
        (late, "pipeline/api/runs.py", "def f():\n    import json"),
        (late, "pipeline/apps.py", "def f():\n    from . import models"),
        (domain_words, "pipeline/queries/freshness.py", "'5 listings'"),
        (domain_words, "pipeline/checks.py", "settings.APIFY_TOKEN"),
    ],
)
def test_each_rule_can_fail(rule, path, code):
    assert rule(ast.parse(code), path)


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (upward, "pipeline/engine/queue/claim.py", "from ..lifecycle import by_queue\nfrom .stops import read_stops"),
        (upward, "pipeline/queries/runs.py", "from ..engine.queue import stops\nfrom ..words import clock"),
        (over_the_wall, "competitors/views/access.py", "from pipeline import api\nfrom pipeline.views.access import needs"),
        (over_the_wall, "pipeline/api/runs.py", "from ..engine.journal import log"),
        (between_job_types, "competitors/jobs/a/job.py", "from . import service\nfrom ...models import X"),
        (late, "pipeline/apps.py", "def ready(self):\n    from . import models"),
        (domain_words, "pipeline/api/runs.py", "'the upstream run'"),
    ],
)
def test_no_rule_refuses_what_is_right(rule, path, code):
    assert not rule(ast.parse(code), path)


def test_a_ring_is_found():
    assert ring({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()}) == {"a", "b", "c"}
    assert not ring({"a": {"b"}, "b": {"c"}, "c": set()})


@pytest.mark.parametrize("constant", ["NAME", "DATASET"])
def test_a_job_types_name_and_dataset_stand_in_its_job_module_alone(constant):
    others = [path for path in source_files("competitors") if not path.startswith("competitors/sandbox/")]
    for path in (path for path in others if path.endswith("/job.py")):
        value = constants(tree(path)).get(constant)
        if value is None:  # steps/ has it: others name it too
            continue
        assert [other for other in others if other != path and value in strings(tree(other))] == []


def test_a_tenth_file_is_found():
    full = [f"pipeline/engine/f{number}.py" for number in range(AT_MOST)]
    assert not list(crowded([*full, "pipeline/engine/__init__.py"]))
    assert Counter(found.split(":")[0] for found in crowded([*full, "pipeline/engine/f9/x.py"])) == {"pipeline/engine": 1}
