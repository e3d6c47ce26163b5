"""The guide tells of each role what the code says."""

from pathlib import Path

from pipeline.people import ROLES

GUIDE = Path(__file__).parents[3] / "docs/how-to/roles.md"


def test_the_guides_table_is_that_of_the_code():
    rows = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:]
    assert rows == [f"| {role.name} | {role.does} | {'yes' if role.staff else 'no'} |" for role in ROLES]
