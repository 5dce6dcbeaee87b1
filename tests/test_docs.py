"""The documentation names what exists, and every setting."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from resources.settings import Settings
from serving.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
OTHERS = [ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "training/README.md")]
PAGES = [README, *OTHERS, *sorted((ROOT / "docs").glob("*.md"))]

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_VARIABLE_ROW = re.compile(r"^\| `([A-Z0-9_]+)` \|", re.MULTILINE)
_SET_BY_US = {"DAGSTER_HOME"}


def _links(page: Path) -> Iterator[tuple[str, str]]:
    """Path and anchor of the page's links into this repository."""
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield path, anchor


def _anchors(page: Path) -> set[str]:
    """What GitHub calls the page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {word.replace(" ", "-") for word in words}


def test_every_setting_is_documented_and_nothing_else() -> None:
    documented = set(_VARIABLE_ROW.findall((ROOT / "docs" / "configuration.md").read_text()))
    assert documented - _SET_BY_US == {name.upper() for name in Settings.model_fields}


def test_documented_defaults_are_the_defaults() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    shown = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| `([^`]*)`", text, re.MULTILINE))
    fields = Settings.model_fields
    actual = {
        name.upper(): str(field.default).lower() if field.annotation is bool else str(field.default)
        for name, field in fields.items()
        if field.default_factory is None and field.default not in (None, ())
    }
    assert {name: shown.get(name) for name in actual} == actual


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [
        f"{path}#{anchor}"
        for path, anchor in _links(page)
        if not (target := (page.parent / path) if path else page).exists()
        or (anchor and anchor not in _anchors(target))
    ]
    assert broken == []


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", README.read_text()))
    assert named
    assert named <= targets


def test_every_command_in_the_readme_exists() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"(?:bin/|`)moodsearch ([a-z]+)", README.read_text()))
    assert named
    assert named <= commands
