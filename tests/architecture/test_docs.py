"""The docs list exactly what exists."""

import ast
import re
import tomllib
from posixpath import normpath

import pytest

from tests.architecture.tree import files, text, tree

PROJECT = tomllib.loads(text("pyproject.toml"))["project"]
COMMAND = re.compile(r"^(?!tests/).*/management/commands/([a-z]\w+)\.py$")  # the tests have a `flush` of their own


def settings_read() -> set[str]:
    """Names in calls like environment.text("NAME", …)."""
    files = ("controlplane/settings.py", "controlplane/database.py")
    calls = [node for file in files for node in ast.walk(tree(file)) if isinstance(node, ast.Call) and node.args]
    readers = [call for call in calls if getattr(getattr(call.func, "value", None), "id", "") == "environment"]
    return {call.args[0].value for call in readers if isinstance(call.args[0], ast.Constant)}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~!]", requirement)[0].strip() for requirement in requirements}


def first_cells(page: str) -> str:
    """The first cells of all table rows of the page."""
    return " ".join(line.split("|")[1] for line in text(page).splitlines() if line.startswith("|"))


def test_every_setting_is_explained_and_every_explanation_has_its_setting():
    explained = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", first_cells("docs/reference/settings.md")))
    assert explained == settings_read()


def test_the_example_environment_names_only_settings_that_exist():
    assert set(re.findall(r"^([A-Z_]+)=", text("deploy/controlplane.env.example"), re.MULTILINE)) <= settings_read()


def test_every_dependency_says_what_it_does_for_us():
    page = text("docs/architecture.md")
    of_use = {name for name in names(PROJECT["dependencies"]) if f"| {name} |" not in page}
    of_development = {name for name in names(PROJECT["optional-dependencies"]["dev"]) if name not in page}
    assert not of_use | of_development


def test_every_dependency_is_pinned():
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in text("constraints.txt").splitlines()}
    wanted = names(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
    assert not {name for name in wanted if name.lower().replace("_", "-") not in pinned}


@pytest.mark.parametrize("command", sorted(found[1] for path in files() if (found := COMMAND.search(path))))
def test_every_command_is_listed(command):
    assert re.search(rf"`{command}\b", first_cells("docs/reference/commands.md")), (
        f"manage.py {command} is missing from the list."
    )


def test_every_page_that_the_readme_names_exists():
    pages = re.findall(r"\]\(([^)]+)\)", text("README.md"))
    present = files()
    assert [page for page in pages if not any(path == page or path.startswith(f"{page}/") for path in present)] == []


def test_every_test_that_the_page_on_security_names_exists():
    named = re.findall(r"`(tests/[^`]+)`", text("SECURITY.md"))
    present = files()
    assert named
    assert [one for one in named if not any(path == one or path.startswith(one.rstrip("/") + "/") for path in present)] == []


def test_every_picture_that_the_docs_show_exists_and_is_told_in_words():
    pages = [path for path in files() if path == "README.md" or (path.startswith("docs/") and path.endswith(".md"))]
    shown = [(page, words, link) for page in pages for words, link in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text(page))]
    assert shown
    assert [(page, link) for page, words, link in shown if not words] == []
    present = files()
    assert [
        (page, link) for page, _, link in shown if normpath(f"{page.rpartition('/')[0]}/{link}").lstrip("/") not in present
    ] == []


def test_every_proof_that_the_guarantees_name_exists():
    page = text("docs/guarantees.md")
    defined = {
        node.name
        for path in files()
        if path.startswith("tests/") and path.endswith(".py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef)
    }
    functions = set(re.findall(r"[`:](test_\w+)`", page))
    modules = set(re.findall(r"(test_\w+\.py)", page))
    assert len(functions) > 10
    assert not functions - defined
    assert not modules - {path.rpartition("/")[2] for path in files()}
