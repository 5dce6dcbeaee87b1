"""The home and what is in it are closed to the machine's other users."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from resources.embedding.clap.exports import Export, write_lock
from resources.machine.core_locks import taken_cores
from resources.machine.folders import make_passable, make_private, open_to_others
from resources.machine.postgres import EmbeddedPostgres
from resources.object_store.folder import FolderStore
from resources.session_secret import session_secret
from resources.settings import Settings


def _take_a_core(home: Path) -> None:
    with taken_cores(home, 1):
        pass


MAKERS: dict[str, Callable[[Path], object]] = {
    "session secret": lambda home: session_secret(Settings(moodsearch_home=home)),
    "audio": lambda home: FolderStore(home / "objects").put("audio/a.wav", b"a"),
    "check of the store": lambda home: FolderStore(home / "objects").check(),
    "cores": _take_a_core,
    "model hashes": lambda home: write_lock(
        Settings(moodsearch_home=home).clap_locks / "owner" / "lock.json",
        Export.model_construct(),
    ),
}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def home() -> Iterator[Path]:
    """It does not exist yet. Not under pytest's folders: they are closed to the user that Postgres
    runs as for root."""
    folder = Path(tempfile.mkdtemp(prefix="moodsearch-tests-"))
    yield folder / "share" / "moodsearch"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("maker", MAKERS)
def test_whoever_makes_the_home_closes_it(home: Path, maker: str) -> None:
    MAKERS[maker](home)
    assert mode(home) == 0o700
    folders = [path for path in home.rglob("*") if path.is_dir()]
    assert {mode(path) for path in folders} <= {0o700}
    assert mode(home.parent) == 0o700


@pytest.mark.slow
def test_the_embedded_postgres_opens_its_home_no_further_than_it_must(home: Path) -> None:
    """For root it runs as a user who must pass through, but may not look around."""
    with EmbeddedPostgres(home) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        expected = 0o710 if os.geteuid() == 0 else 0o700
        assert [mode(folder) for folder in (home, home.parent, home.parent.parent)] == [
            expected
        ] * 3
        assert mode(home / "postgres") == 0o700
        assert not open_to_others(home)


def test_folders_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    make_private(shared)
    make_private(shared / "a" / "b")
    assert [mode(path) for path in (shared, shared / "a", shared / "a" / "b")] == [
        *(0o755, 0o700, 0o700)
    ]


@pytest.mark.parametrize(
    ("before", "after"), [(0o700, 0o710), (0o711, 0o711), (0o740, 0o750), (0o755, 0o755)]
)
def test_passing_through_is_all_that_is_added(tmp_path: Path, before: int, after: int) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(before)
    make_passable(folder / "postgres")
    assert mode(folder) == after


@pytest.mark.parametrize(
    ("permissions", "is_open"), [(0o700, False), (0o750, True), (0o755, True), (0o701, True)]
)
def test_a_home_that_others_may_look_into_is_known(
    tmp_path: Path, permissions: int, is_open: bool
) -> None:
    tmp_path.chmod(permissions)
    assert open_to_others(tmp_path) == is_open
    tmp_path.chmod(0o700)
