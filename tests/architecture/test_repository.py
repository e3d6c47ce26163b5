"""Committed files work on any machine: no machine's paths, no package registry's hosts, no secrets.

The patterns are written so that they do not match themselves.
"""

import re

import pytest

from tests.architecture.tree import ROOT, files

LARGEST = 1_000_000
NOWHERE = {
    "a machine's own path": r"(?<![\w.-])/(?:wor[k]|far[m]|roo[t]|hom[e]/[a-z]|User[s]/[a-z]|opt/whee[l]s|opt/pyp[i])[/\w-]*/",
    "a folder of one session": r"/tmp/bas[h]_jobs",
    "a registry's host": r"(?:files\.)?pythonhost[e]d\.org|pypi\.(?:org|python)[/.]simpl[e]|registr[y]\.npmjs|deb\.debia[n]\.org",
    "a choice of registry": r"(?:extra-)?inde[x]-url|find[-_]link[s]\b|trusted-hos[t]\b",
    "a lock file's address": r'"resolve[d]": *"http|url = "htt[p][^"]*\.whl',
    "a token": r"apify_ap[i]_\w{20,}|EAA[A-Z]\w{40,}|-----BEGI[N] [A-Z ]*PRIVATE KEY",
}


def betrayals(content: str) -> list[str]:
    return [f"{what}: {found[0]}" for what, pattern in NOWHERE.items() for found in re.finditer(pattern, content)]


def test_nothing_committed_belongs_to_one_machine():
    broken = []
    for path in files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content[:8000]:
            broken += [f"{path}: {found}" for found in betrayals(content.decode("utf-8", "replace"))]
    assert not broken, "\n".join(broken)


def test_nothing_committed_is_large():
    assert [path for path in files() if (ROOT / path).stat().st_size > LARGEST] == []


@pytest.mark.parametrize(
    "content",
    [
        "cd /wor" + "k/main/tests",
        "at /roo" + "t/.cache/x",
        "/hom" + "e/ann/project/",
        "pip install --inde" + "x-url x",
        "https://files.pythonhost" + "ed.org/a.whl",
        "https://registr" + "y.npmjs.org/x",
        '"resolve' + 'd": "https://x"',
        "apify_ap" + "i_" + "a" * 30,
    ],
)
def test_each_kind_is_found(content):
    assert betrayals(content)


@pytest.mark.parametrize(
    "content", ["../shared/data", "/brands/acme/work/", "https://api.apify.com/v2", "/srv/controlplane/.venv"]
)
def test_ordinary_paths_pass(content):
    assert not betrayals(content)
