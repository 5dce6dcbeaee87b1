"""The simulation itself: it finds nothing, it finds the same again, and it finds what is there."""

from pathlib import Path

from tests.simulation import mutants
from tests.simulation.run import Failure, Success, simulate


def test_a_world_with_faults_kills_and_two_models_comes_to_rest(postgres_server: str) -> None:
    outcome = simulate(postgres_server, seed=5, steps=250)
    assert isinstance(outcome, Success), str(outcome)


def test_a_seed_is_replayed_to_the_letter(postgres_server: str) -> None:
    first, second = (simulate(postgres_server, seed=3, steps=150) for _ in range(2))
    assert isinstance(first, Success), str(first)
    assert isinstance(second, Success), str(second)
    assert first.steps == second.steps
    assert first.log == second.log


def test_a_failure_names_the_line_that_replays_it() -> None:
    failure = Failure(7, 123, AssertionError("lost"), ["edit: rename 1"])
    assert str(failure).endswith("Replay: make simulate SEED=7 STEPS=123")


def test_every_planted_bug_applies_to_the_code_as_it_is(tmp_path: Path) -> None:
    patches = sorted(mutants.PATCHES.glob("*.patch"))
    assert len(patches) >= 20
    mutants.copy_tree(tmp_path)
    assert [patch.stem for patch in patches if not mutants.apply(patch, tmp_path, "--check")] == []


def test_every_planted_bug_says_what_it_breaks() -> None:
    for patch in mutants.PATCHES.glob("*.patch"):
        assert patch.read_text().split("\n", 1)[0].endswith("."), patch.name
