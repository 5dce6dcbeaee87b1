"""How a model's files get into the image on Modal, seen without an account or a network."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, cast

import modal
import pytest

from resources.embedding.clap.exports import PINNED, Export, lock_path, write_lock
from resources.embedding.clap.folder import FolderFiles
from resources.settings import load_settings
from serving.embedding_service.modal_image import HOME, IMAGE_PACKAGES, with_model
from serving.embedding_service.modal_weights import fetch_weights
from tests.embedding_service.test_modal_app import ONLY_PACKAGES
from tests.fakes.hub import REVISION, export_files, hub_server

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).resolve().parents[2]
FIXTURE: Final = ROOT / "tests" / "embedding" / "clap_fixture"
ID: Final = "someone/clap"
PACKAGES: Final = " ".join(IMAGE_PACKAGES)
INT8: Final = (
    "onnx/audio_model_quantized.onnx",
    "onnx/text_model_quantized.onnx",
    "tokenizer.json",
)

# With what Modal sends to an image's build, and then with what a container has.
BUILD: Final = f"""{ONLY_PACKAGES}
import ast
from serving.embedding_service.modal_weights import fetch_weights
fetch_weights(*ast.literal_eval(sys.argv[1]))
"""
START: Final = """
from resources.settings import load_settings
from serving.embedding_service import open_model
print(open_model(load_settings()).model.id)
"""


@dataclass
class RecordedImage:
    """In place of Modal's: which layers were asked for."""

    variables: dict[str, str] = field(default_factory=dict)
    fetched: list[tuple[Any, ...]] = field(default_factory=list)
    copied: dict[str, Path] = field(default_factory=dict)

    def env(self, variables: dict[str, str]) -> Self:
        self.variables |= variables
        return self

    def run_function(self, function: object, *, args: tuple[Any, ...], env: dict[str, str]) -> Self:
        assert function is fetch_weights
        assert env == {"HF_HUB_DISABLE_XET": "1"}
        assert "HF_HUB_OFFLINE" not in self.variables
        self.fetched.append(args)
        return self

    def add_local_file(self, local: Path, remote: str, *, copy: bool) -> Self:
        assert copy  # else the file would be missing while the image is built
        self.copied[remote] = local
        return self


def layers(monkeypatch: pytest.MonkeyPatch, **variables: str) -> RecordedImage:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    image = RecordedImage()
    with_model(cast(modal.Image, image), load_settings())
    return image


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_model_that_ships_comes_with_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    image = layers(monkeypatch)
    assert (image.fetched, image.copied) == ([], {})
    assert image.variables == {"CLAP_MODEL": "offline", "CLAP_PRECISION": "int8"}


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_of_the_pinned_model_the_precisions_own_files_are_fetched(
    monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    (pinned,) = PINNED.values()
    image = layers(monkeypatch, CLAP_MODEL=pinned.id, CLAP_PRECISION=precision)
    ((model_id, revision, hashes),) = image.fetched
    assert (model_id, revision) == (pinned.id, pinned.revision)
    assert len(hashes) == 3
    assert hashes.items() <= pinned.sha256.items()
    assert all(("quantized" in name) == (precision == "int8") for name in hashes if "/" in name)
    assert image.variables["CLAP_MODEL"] == pinned.id
    assert image.variables["CLAP_PRECISION"] == precision
    assert image.variables["HF_HUB_OFFLINE"] == "1"
    assert image.copied == {}


def test_a_model_that_was_looked_up_takes_its_hashes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = {name: sha256(content) for name, content in export_files().items()}
    locks = load_settings().clap_locks
    lock = lock_path(locks, ID, REVISION)
    write_lock(lock, Export(id=ID, revision=REVISION, licence="mit", sha256=hashes))
    image = layers(monkeypatch, CLAP_MODEL=f"{ID}@{REVISION}")
    assert image.fetched == [(ID, REVISION, {name: hashes[name] for name in INT8})]
    assert image.copied == {f"{HOME}/models/{lock.name}": lock}
    assert image.variables["MOODSEARCH_HOME"] == HOME


def test_a_folder_is_copied_and_stays_the_same_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "my-clap"
    for name, content in export_files().items():
        target = tmp_path / "blobs" / Path(name).name  # as in a cache: links lead out of the folder
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    image = layers(monkeypatch, CLAP_MODEL=str(folder))
    assert image.variables["CLAP_MODEL"] == "/clap/my-clap"
    assert len(image.copied) == 4
    there = tmp_path / "image"
    for remote, local in image.copied.items():
        assert not local.is_symlink()
        (there / remote[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(local, there / remote[1:])
    copied = FolderFiles(there / "clap" / "my-clap", "int8").model
    assert copied == FolderFiles(folder, "int8").model


@pytest.mark.parametrize("model", ["Xenova/clap-htsat-unfused", "offline"])
def test_the_app_is_defined_without_a_connection(model: str) -> None:
    done = _run(
        "import serving.embedding_service.modal_app",
        ROOT,
        CLAP_MODEL=model,
        HF_ENDPOINT="http://127.0.0.1:1",
    )
    assert done.returncode == 0, done.stderr


def test_an_image_is_built_once_and_its_containers_never_download(tmp_path: Path) -> None:
    files = {name: (FIXTURE / name).read_bytes() for name in INT8}
    hashes = {name: sha256(content) for name, content in files.items()}
    sent = _sent_to_the_build(tmp_path)
    image = {"HF_HOME": str(tmp_path / "hub"), "MOODSEARCH_HOME": str(tmp_path / "home")}
    with hub_server() as hub:
        hub.add(ID, files)
        wanted = repr((ID, REVISION, hashes))
        built = _run(
            BUILD, sent, wanted, PACKAGES, HF_ENDPOINT=hub.url, HF_HUB_DISABLE_XET="1", **image
        )
        assert built.returncode == 0, built.stderr
    write_lock(
        lock_path(tmp_path / "home" / "models", ID, REVISION),
        Export(id=ID, revision=REVISION, licence="mit", sha256=hashes),
    )
    started = _run(START, ROOT, CLAP_MODEL=f"{ID}@{REVISION}", HF_HUB_OFFLINE="1", **image)
    assert started.stdout.strip() == ID, started.stderr


def test_a_file_of_another_hash_ends_the_build(tmp_path: Path) -> None:
    sent = _sent_to_the_build(tmp_path)
    wanted = repr((ID, REVISION, {"tokenizer.json": sha256(b"another")}))
    with hub_server() as hub:
        hub.add(ID, export_files())
        built = _run(
            BUILD, sent, wanted, PACKAGES, HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path / "hub")
        )
    assert built.returncode != 0
    assert "tokenizer.json of someone/clap@" in built.stderr


def _sent_to_the_build(folder: Path) -> Path:
    """The one package of ours that a build can import."""
    sent = folder / "root"
    shutil.copytree(ROOT / "serving", sent / "serving", ignore=shutil.ignore_patterns("static"))
    return sent


def _run(
    program: str, folder: Path, *arguments: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
