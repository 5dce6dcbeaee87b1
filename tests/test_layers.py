"""Imports point one way: serving and pipelines to assets, assets to resources, and never back."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "resources": {"resources"},
    "assets": {"assets", "resources"},
    "pipelines": {"pipelines", "assets", "resources"},
    "serving": {"serving", "pipelines", "assets", "resources"},
}
LAYERS = set(MAY_IMPORT)
DAGSTER = {"dagster", "dagster_postgres", "dagster_webserver"}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def _modules(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


@pytest.mark.parametrize("layer", sorted(LAYERS))
def test_a_layer_imports_only_what_is_below_it(layer: str) -> None:
    modules = _modules(layer)
    assert modules
    wrong = {
        str(path.relative_to(ROOT)): sorted(upwards)
        for path in modules
        if (upwards := (_imports(path) & LAYERS) - MAY_IMPORT[layer])
    }
    assert wrong == {}


def test_resources_do_not_know_dagster() -> None:
    wrong = [path.name for path in _modules("resources") if _imports(path) & DAGSTER]
    assert wrong == []


def test_the_product_does_not_import_torch_or_its_own_training() -> None:
    forbidden = {"torch", "transformers", "librosa", "training"}
    modules = [path for layer in LAYERS for path in _modules(layer)]
    wrong = [str(path.relative_to(ROOT)) for path in modules if _imports(path) & forbidden]
    assert wrong == []


def _imported_modules(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_nothing_private_of_dagster_is_imported() -> None:
    wrong = {
        str(path.relative_to(ROOT)): private
        for layer in LAYERS
        for path in _modules(layer)
        if (
            private := sorted(
                name
                for name in _imported_modules(path)
                if name.split(".")[0] in DAGSTER and any(p.startswith("_") for p in name.split("."))
            )
        )
    }
    assert wrong == {}


def test_only_the_settings_read_the_environment() -> None:
    """`os.environ` may be passed on to other programs, but never asked for a setting."""
    readers = {
        str(path.relative_to(ROOT))
        for layer in LAYERS
        for path in _modules(layer)
        if "getenv(" in path.read_text() or "environ.get(" in path.read_text()
    }
    assert readers == set()


def test_every_folder_says_what_lives_in_it() -> None:
    silent = [
        str(init.relative_to(ROOT))
        for layer in LAYERS
        for init in (ROOT / layer).rglob("__init__.py")
        if ast.get_docstring(ast.parse(init.read_text())) is None
    ]
    assert silent == []
