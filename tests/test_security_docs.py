"""docs/security.md promises nothing that no test shows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| threat")
]


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """The names of all test functions."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_every_threat_has_an_answer_and_a_test(row: list[str], tests: set[str]) -> None:
    threat, answer, shown_by = row
    assert threat
    assert answer
    named = re.findall(r"`(test_\w+)`", shown_by)
    assert named
    assert set(named) <= tests


def test_it_is_short_and_the_readme_leads_to_it() -> None:
    assert len(ROWS) >= 15
    assert len(PAGE.split()) <= 900
    assert "(docs/security.md)" in (ROOT / "README.md").read_text()
