"""Each file is about one noun or verb, is short enough to read in one sitting, and is finished."""

import re
from statistics import median

import pytest

from tests.architecture.tree import files, source_files, text

CODE = source_files(
    "controlplane",
    "competitors",
    "pipeline",
    "tests",
    "benchmarks",
    "templates",
    "static",
    suffixes=(".py", ".html", ".css", ".js"),
)
LONGEST, MEDIAN = 400, 100
VAGUE = re.compile(r"(?:^|/)(?:utils?|helpers?|services|common|misc)\.py$")
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b|mark\.(?:ski[p]|xfai[l])\b")


def lines(path: str) -> int:
    return len(text(path).splitlines())


def test_no_file_is_longer_than_one_idea():
    long = [f"{path}: {lines(path)} lines; split it in two" for path in CODE if lines(path) > LONGEST]
    assert not long, "\n".join(long)


def test_most_files_are_short():
    assert median(lines(path) for path in CODE if lines(path)) <= MEDIAN


def test_every_file_has_a_name_that_says_what_is_in_it():
    assert [path for path in CODE if VAGUE.search(path)] == []


def test_no_file_says_that_it_is_unfinished():
    left = [
        f"{path}: {found[0]}"
        for path in files()
        if path.endswith((".py", ".html", ".css", ".js", ".md", ".toml"))
        for found in UNFINISHED.finditer(text(path))
    ]
    assert not left, "\n".join(left)


@pytest.mark.parametrize("code", ["# TO" + "DO later", "FIX" + "ME", "@pytest.mark.ski" + "p(reason='x')"])
def test_unfinished_work_is_found(code):
    assert UNFINISHED.search(code)


@pytest.mark.parametrize("path", ["pipeline/utils.py", "competitors/views/helpers.py", "services.py"])
def test_vague_names_are_found(path):
    assert VAGUE.search(path)
