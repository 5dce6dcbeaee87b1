"""What is built to be installed: the wheel and the source distribution have every file."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from serving.cli.installation import PACKAGES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
FROM_THE_TOP = {
    "pipelines/dagster.yaml": "dagster.yaml",
    "serving/embedding_service/requirements.txt": "requirements/runtime.txt",
}
"""Files in packages that are links to files of the repository, for a checkout."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, built from a copy: a build writes beside its sources."""
    folder = tmp_path_factory.mktemp("built")
    sources = folder / "sources"
    sources.mkdir()
    for name in ("README.md", "LICENSE", "NOTICE", "pyproject.toml", *FROM_THE_TOP.values()):
        (sources / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, sources / name)
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, sources / name, symlinks=True, ignore=ignored)
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(sources),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _files_of_the_packages() -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def test_the_wheel_has_every_file_of_the_packages_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        texts = {name: archive.read(name) for name in FROM_THE_TOP}
    assert names == _files_of_the_packages()
    assert texts == {name: (ROOT / top).read_bytes() for name, top in FROM_THE_TOP.items()}


def test_the_source_distribution_has_them_too(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames() if not name.endswith("/")}
    assert _files_of_the_packages() <= names


@pytest.mark.parametrize("name", FROM_THE_TOP)
def test_a_checkout_reads_the_files_at_the_top(name: str) -> None:
    assert (ROOT / name).resolve() == (ROOT / FROM_THE_TOP[name]).resolve()
