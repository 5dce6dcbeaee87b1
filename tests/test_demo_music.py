"""The demo's music is made by `training/demo` alone, and what ships is what it makes."""

import ast
from pathlib import Path

import numpy as np
import pytest

import training.demo
from serving.demo import DEMO_PIECES
from serving.demo.writer import SHIPPED
from training.demo.composer import compose
from training.demo.render import decode, render

QUICK = next(n for n, piece in enumerate(DEMO_PIECES) if piece.style == "chiptune")
FIRST_OF_EACH_STYLE = [
    number for number, piece in enumerate(DEMO_PIECES) if piece.name.endswith("-1")
]


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def test_it_shares_no_code_with_what_makes_or_is_the_model() -> None:
    """The model is evaluated on this music, so it must be foreign to it."""
    modules = sorted(Path(training.demo.__file__).parent.rglob("*.py"))
    ours = {
        name
        for module in modules
        for name in imports_of(module)
        if name.split(".")[0] in {"training", "serving", "resources", "assets", "pipelines"}
    }
    assert len(modules) > 20
    assert {
        name for name in ours if not name.startswith(("training.demo.", "serving.demo."))
    } == set()


@pytest.mark.slow
def test_a_piece_is_the_same_every_time(tmp_path: Path) -> None:
    assert np.array_equal(compose(QUICK), compose(QUICK))
    once, again = (render(QUICK, tmp_path).read_bytes() for _ in range(2))
    assert once == again


def assert_renders_as_shipped(number: int, folder: Path) -> None:
    """Equal bytes are too much to ask: the last bits of sums depend on the processor's vector
    instructions, and what Opus leaves out depends on the last bits."""
    again = decode(render(number, folder))
    shipped = decode(SHIPPED / DEMO_PIECES[number].shipped_name)
    assert again.shape == shipped.shape
    assert np.corrcoef(again.ravel(), shipped.ravel())[0, 1] > 0.9
    assert np.std(again) == pytest.approx(np.std(shipped), rel=0.02)


def test_rendering_a_piece_anew_gives_what_ships(tmp_path: Path) -> None:
    assert_renders_as_shipped(QUICK, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", FIRST_OF_EACH_STYLE)
def test_rendering_any_style_anew_gives_what_ships(number: int, tmp_path: Path) -> None:
    assert_renders_as_shipped(number, tmp_path)


@pytest.mark.slow
def test_no_player_has_to_clip_a_piece() -> None:
    peaks = {p.name: np.abs(decode(SHIPPED / p.shipped_name)).max() for p in DEMO_PIECES}
    assert len(peaks) == 60
    assert {name: peak for name, peak in peaks.items() if peak >= 1} == {}
