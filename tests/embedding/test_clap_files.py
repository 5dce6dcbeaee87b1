"""CLAP's files in a folder, and how `CLAP_MODEL` is understood."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from resources.embedding.clap import exports
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.hub import HubFiles
from resources.embedding.clap.model import clap_files
from resources.errors import ConfigurationError
from resources.settings import Settings, load_settings
from tests.fakes.hub import export_files

ROOT: Final = Path(__file__).resolve().parents[2]
AUDIO: Final = "onnx/audio_model_quantized.onnx"
TEXT: Final = "onnx/text_model_quantized.onnx"


def written(folder: Path, files: dict[str, bytes], *, flat: bool = False) -> Path:
    for name, content in files.items():
        path = folder / (Path(name).name if flat else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "my-clap", export_files())


def complaint(action: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        action()
    message = str(caught.value)
    assert message.startswith("CLAP_MODEL: ")
    assert "\n" not in message
    return message


def test_a_folder_is_named_after_itself_and_its_content(folder: Path) -> None:
    files = FolderFiles(folder, "int8")
    assert files.model.id == "my-clap"
    assert files.model.licence == "unknown"
    assert files.audio_model() == folder / AUDIO
    assert files.text_model() == folder / TEXT
    assert files.tokenizer() == folder / "tokenizer.json"
    assert FolderFiles(folder, "int8").model == files.model


@pytest.mark.parametrize("name", [AUDIO, TEXT, "tokenizer.json"])
def test_every_file_has_a_say_in_the_identity(folder: Path, name: str) -> None:
    before = FolderFiles(folder, "int8").model
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    after = FolderFiles(folder, "int8").model
    assert after.revision != before.revision
    assert after.fingerprint != before.fingerprint


def test_precisions_are_different_models(folder: Path) -> None:
    assert FolderFiles(folder, "int8").model.fingerprint != (
        FolderFiles(folder, "fp32").model.fingerprint
    )


def test_files_may_lie_directly_in_the_folder(folder: Path, tmp_path: Path) -> None:
    flat = written(tmp_path / "flat" / "my-clap", export_files(), flat=True)
    assert FolderFiles(flat, "int8").model == FolderFiles(folder, "int8").model
    assert FolderFiles(flat, "fp32").audio_model() == flat / "audio_model.onnx"


def test_a_folder_with_the_files_of_a_pinned_export_is_that_export(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So that an index built with the hub's files is not built again for a copy of them."""
    (pinned,) = exports.PINNED.values()
    hashes = {name: hashlib.sha256(each).hexdigest() for name, each in export_files().items()}
    known = {pinned.id: pinned.model_copy(update={"sha256": hashes})}
    monkeypatch.setattr("resources.embedding.clap.folder.PINNED", known)
    monkeypatch.setattr("resources.embedding.clap.hub.PINNED", known)
    assert FolderFiles(folder, "int8").model == HubFiles(pinned.id, "int8", tmp_path).model
    (folder / TEXT).write_bytes(b"fine-tuned")
    assert FolderFiles(folder, "int8").model.id == "my-clap"


@pytest.mark.parametrize("name", [AUDIO, TEXT, "tokenizer.json", "preprocessor_config.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    message = complaint(lambda: FolderFiles(folder, "int8").model)
    assert f"{folder} has no {name}; copy it there" in message


def test_a_folder_with_the_other_precision_alone_names_it(folder: Path) -> None:
    (folder / AUDIO).unlink()
    (folder / TEXT).unlink()
    message = complaint(lambda: FolderFiles(folder, "int8").model)
    assert message.endswith("or set CLAP_PRECISION=fp32")
    (folder / "onnx" / "audio_model.onnx").unlink()
    assert "CLAP_PRECISION" not in complaint(lambda: FolderFiles(folder, "int8").model)


@pytest.mark.parametrize("name", ["absent", "file"])
def test_what_is_no_folder_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "is not a folder" in complaint(lambda: FolderFiles(tmp_path / name, "int8").model)


def test_a_clone_without_git_lfs_is_recognised(folder: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 34301667\n"
    (folder / AUDIO).write_text(pointer)
    assert "run git lfs pull" in complaint(lambda: FolderFiles(folder, "int8").model)


def test_a_file_that_was_replaced_while_the_program_runs_is_refused(folder: Path) -> None:
    files = FolderFiles(folder, "int8")
    assert files.model
    (folder / TEXT).write_bytes(b"another")
    assert "start it again" in complaint(files.text_model)
    assert files.audio_model() == folder / AUDIO


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_configuration_is_said(folder: Path, content: bytes) -> None:
    (folder / "preprocessor_config.json").write_bytes(content)
    assert "is not JSON" in complaint(lambda: FolderFiles(folder, "int8").model)


def test_what_a_configuration_leaves_out_is_what_transformers_takes_for_it(folder: Path) -> None:
    (folder / "preprocessor_config.json").write_text("{}")
    assert 'hears truncation "fusion"' in complaint(lambda: FolderFiles(folder, "int8").model)
    (folder / "preprocessor_config.json").write_text(
        '{"truncation": "rand_trunc", "frequency_min": 50}'
    )
    assert FolderFiles(folder, "int8").model


def settings_of(monkeypatch: pytest.MonkeyPatch, model: str) -> Settings:
    monkeypatch.setenv("CLAP_MODEL", model)
    return load_settings()


@pytest.mark.parametrize(
    "written_as", ["./my-clap", "~/my-clap", "{}/my-clap", "../{0.name}/my-clap"]
)
def test_a_folder_is_told_by_how_it_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, written_as: str
) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    settings = settings_of(monkeypatch, written_as.format(folder.parent))
    assert settings.clap_folder is not None
    assert settings.clap_folder.samefile(folder)
    monkeypatch.chdir("/")
    assert clap_files(settings).audio_model().samefile(folder / AUDIO)


def test_a_name_on_the_hub_stays_one_beside_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "Xenova" / "clap-htsat-unfused", export_files())
    monkeypatch.chdir(tmp_path)
    settings = settings_of(monkeypatch, "Xenova/clap-htsat-unfused")
    assert settings.clap_folder is None
    (pinned,) = exports.PINNED.values()
    assert clap_files(settings).model.revision == pinned.revision


@pytest.mark.parametrize(
    "model", ["clap", "a/b/c", "some one/clap", "https://x/y", "Offline", "a/b@c d"]
)
def test_what_is_neither_is_refused_when_the_settings_are_read(
    monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    message = complaint(lambda: settings_of(monkeypatch, model))
    assert "must be offline, owner/name of a model on the hub, or a folder" in message


def test_the_model_that_ships_needs_nothing_of_clap() -> None:
    """Neither its packages' import time nor its memory."""
    program = """
import sys
from resources.embedding.local import load_local_model
from resources.settings import load_settings
load_local_model(load_settings()).embed_text(["rain"])
print([name for name in ("huggingface_hub", "tokenizers") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
