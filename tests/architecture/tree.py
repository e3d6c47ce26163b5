"""The files that the architecture tests read: all that are committed or about to be."""

import ast
import subprocess
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files() -> list[str]:
    """Paths, from the project's root, of tracked files and of new files that .gitignore does not exclude."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted({path for path in listed.split("\0") if path and (ROOT / path).is_file()})


def source_files(*folders: str, suffixes: tuple[str, ...] = (".py",)) -> list[str]:
    """Paths below the folders, except migrations, which Django writes."""
    return [
        path
        for path in files()
        if path.endswith(suffixes) and path.startswith(tuple(f"{folder}/" for folder in folders)) and "/migrations/" not in path
    ]


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: str) -> ast.Module:
    return ast.parse(text(path), path)


def imports(module: ast.Module, path: str) -> Iterator[str]:
    """Full dotted names of everything that a module imports; `from a import b` gives a.b, as b may be a module."""
    package = path.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


def modules(module: ast.Module, path: str, known: Collection[str]) -> set[str]:
    """Which of the known modules a module imports: `from a import b` is a.b where that is a module, else a."""
    found = set()
    for name in imports(module, path):
        while name and name not in known:
            name = name.rpartition(".")[0]
        found.add(name)
    return found - {""}


def strings(module: ast.Module) -> Iterator[str]:
    """Every string that the program uses: docstrings and bare strings are left out."""
    unused = {node.value for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in unused:
            yield node.value


def within(name: str, *packages: str) -> bool:
    """Is this dotted name one of the packages, or in one?"""
    return any(name == package or name.startswith(f"{package}.") for package in packages)
