"""CLAP's files from a hub: fetched once, checked always, and one line for whatever goes wrong."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from huggingface_hub import constants

from resources.embedding.clap.exports import PINNED
from resources.embedding.clap.files import Precision
from resources.embedding.clap.hub import HubFiles
from resources.embedding.clap.hub_client import Hub
from resources.errors import BackendError, ConfigurationError
from tests.fakes.hub import REVISION, HubServer, export_files, hub_server

ROOT: Final = Path(__file__).resolve().parents[2]
ID: Final = "someone/clap"
REFERENCE: Final = f"{ID}@{REVISION}"
XENOVA: Final = "Xenova/clap-htsat-unfused"
AUDIO: Final = "onnx/audio_model_quantized.onnx"
TEXT: Final = "onnx/text_model_quantized.onnx"

Opened = Callable[..., HubFiles]

# As a process of the product does; the client reads its own variables when it is imported.
IN_A_PROCESS: Final = """
from resources.embedding.clap.model import clap_files
from resources.errors import MoodSearchError
from resources.settings import load_settings
try:
    files = clap_files(load_settings())
    print(files.model.fingerprint)
    print(files.text_model().read_bytes()[:4].decode())
except MoodSearchError as error:
    print("error:", error)
"""


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer's own machine is told."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with hub_server() as server:
        yield server


@pytest.fixture
def opened(hub: HubServer, tmp_path: Path) -> Opened:
    """As a start of the program on a machine that keeps its cache and its home."""

    def start(
        reference: str = REFERENCE, precision: Precision = "int8", at: str | None = None
    ) -> HubFiles:
        client = Hub(endpoint=at or hub.url, cache=tmp_path / "cache")
        return HubFiles(reference, precision, tmp_path / "models", client)

    return start


def all_of(files: HubFiles) -> list[bytes]:
    return [each().read_bytes() for each in (files.audio_model, files.text_model, files.tokenizer)]


def complaint(action: Callable[[], object], kind: type[Exception] = ConfigurationError) -> str:
    with pytest.raises(kind) as caught:
        action()
    message = str(caught.value)
    assert message.startswith("CLAP_MODEL: ")
    assert "\n" not in message
    return message


def test_files_are_fetched_once_and_never_asked_for_again(hub: HubServer, opened: Opened) -> None:
    files = export_files()
    hub.add(ID, files)
    first = opened()
    assert all_of(first) == [files[AUDIO], files[TEXT], files["tokenizer.json"]]
    hub.asked.clear()
    again = opened(at="http://127.0.0.1:1")
    assert all_of(again) == [files[AUDIO], files[TEXT], files["tokenizer.json"]]
    assert again.model == first.model
    assert hub.asked == []


def test_programs_that_start_at_once_fetch_a_file_once(hub: HubServer, opened: Opened) -> None:
    files = export_files()
    hub.add(ID, files)
    with ThreadPoolExecutor(6) as pool:
        starts = [pool.submit(lambda: opened().text_model().read_bytes()) for _ in range(6)]
        assert {start.result() for start in starts} == {files[TEXT]}
    assert len(hub.downloads(TEXT)) == 1


def test_only_the_files_of_the_tower_that_is_used_are_fetched(
    hub: HubServer, opened: Opened
) -> None:
    hub.add(ID, export_files())
    files = opened()
    assert (files.model.id, files.model.revision) == (ID, REVISION)
    assert files.model.licence == "apache-2.0"
    files.text_model()
    files.tokenizer()
    assert len(hub.downloads(TEXT)) == 1
    assert hub.downloads(AUDIO) == []
    assert hub.downloads("onnx/text_model.onnx") == []


def test_the_fingerprint_tells_models_revisions_and_precisions_apart(
    hub: HubServer, opened: Opened
) -> None:
    hub.add(ID, export_files())
    hub.add("someone/other", export_files())
    hub.add("someone/newer", {**export_files(), TEXT: b"other " * 1000})
    hub.add("someone/later", export_files(), revision=REVISION[::-1])
    references = [REFERENCE, f"someone/other@{REVISION}", f"someone/newer@{REVISION}"]
    models = [opened(each).model for each in (*references, f"someone/later@{REVISION[::-1]}")]
    models.append(opened(precision="fp32").model)
    assert len({model.fingerprint for model in models}) == 5
    assert opened().model.fingerprint == models[0].fingerprint


@pytest.mark.parametrize("reference", [XENOVA, f"{XENOVA}@{PINNED[XENOVA].revision}"])
def test_the_pinned_model_is_known_without_a_request(
    hub: HubServer, opened: Opened, tmp_path: Path, reference: str
) -> None:
    model = opened(reference).model
    assert model.id == XENOVA
    assert model.licence == "Apache-2.0"
    assert model.fingerprint != opened(reference, "fp32").model.fingerprint
    assert hub.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_hub_itself_calls_another_is_not_downloaded(
    hub: HubServer, opened: Opened, tmp_path: Path
) -> None:
    hub.add(XENOVA, export_files(), revision=PINNED[XENOVA].revision)
    message = complaint(opened(XENOVA).audio_model)
    assert f"another {AUDIO}" in message
    assert "HF_ENDPOINT" in message
    assert hub.downloads(AUDIO) == []
    assert not (tmp_path / "cache").exists()


def test_a_small_file_that_is_another_is_refused_after_the_download(
    hub: HubServer, opened: Opened
) -> None:
    hub.add(XENOVA, export_files(), revision=PINNED[XENOVA].revision)
    assert "is not the tokenizer.json of Xenova" in complaint(opened(XENOVA).tokenizer)


def test_a_cached_file_that_changed_is_named_and_fetched_anew_once_it_is_deleted(
    hub: HubServer, opened: Opened
) -> None:
    files = export_files()
    hub.add(ID, files)
    opened().text_model().write_bytes(files[TEXT][:-1] + b"?")
    message = complaint(opened().text_model)
    assert "delete it" in message
    Path(message.removeprefix("CLAP_MODEL: ").split(" is not the ")[0]).unlink()
    assert opened().text_model().read_bytes() == files[TEXT]


def test_a_file_that_changes_while_the_program_runs_is_refused(
    hub: HubServer, opened: Opened
) -> None:
    hub.add(ID, export_files())
    files = opened()
    files.text_model().write_bytes(b"")
    assert "is not the onnx/text_model_quantized.onnx" in complaint(files.text_model)


def test_content_that_was_changed_on_its_way_is_refused(hub: HubServer, opened: Opened) -> None:
    hub.add(ID, export_files())
    files = opened()
    assert files.model
    hub.corrupt = lambda content: content[:-1] + b"!"
    assert "delete it" in complaint(files.audio_model)


def test_small_files_are_checked_against_the_commit_when_they_are_looked_up(
    hub: HubServer, opened: Opened, tmp_path: Path
) -> None:
    hub.add(ID, export_files())
    hub.corrupt = lambda content: content.replace(b'"1.0"', b'"1.1"')
    assert "is not the tokenizer.json" in complaint(lambda: opened().model)
    assert not (tmp_path / "models").exists()


def test_a_download_that_breaks_off_goes_on_where_it_broke(
    hub: HubServer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 40_000)  # 10 MB, which are kept whole
    files = export_files()
    hub.add(ID, files)
    hub.break_off_after = [100_000]
    assert opened().text_model().read_bytes() == files[TEXT]
    assert hub.downloads(TEXT) == [None, "bytes=80000-"]


def test_a_download_whose_program_was_killed_is_never_taken_for_the_file(
    hub: HubServer, opened: Opened, tmp_path: Path
) -> None:
    files = export_files()
    hub.add(ID, files)
    hub.stall.clear()
    with _process(tmp_path, HF_ENDPOINT=hub.url, HF_HUB_CACHE=str(tmp_path / "cache")) as process:
        while not list((tmp_path / "cache").rglob("*.incomplete")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    hub.stall.set()
    assert opened().text_model().read_bytes() == files[TEXT]


@pytest.mark.slow
def test_a_download_that_never_gets_on_is_one_line_and_leaves_nothing(
    hub: HubServer, opened: Opened, tmp_path: Path
) -> None:
    hub.add(ID, export_files())
    files = opened()
    assert files.model
    hub.break_off_after = [0] * 100
    assert "try again" in complaint(files.text_model, BackendError)
    assert list((tmp_path / "cache").rglob("*.incomplete")) == []


def test_without_a_connection_the_line_names_both_ways_out(opened: Opened) -> None:
    message = complaint(opened(XENOVA, at="http://127.0.0.1:1").text_model, BackendError)
    assert "http://127.0.0.1:1 cannot be reached" in message
    assert "folder" in message


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_in_trouble_may_be_asked_again_later(
    hub: HubServer, opened: Opened, status: int
) -> None:
    hub.add(ID, export_files(), refusal=(status, "Trouble"))
    message = complaint(lambda: opened().model, BackendError)
    assert f"answered {status}" in message


@pytest.mark.parametrize(
    ("refusal", "mentions"),
    [
        ((404, "RepoNotFound"), "has no model someone/clap"),
        ((401, "RepoNotFound"), "has no model someone/clap"),
        ((401, "Unauthorized"), "check HF_TOKEN"),
        ((403, "GatedRepo"), "accept them on its page, and set HF_TOKEN"),
        ((404, "RevisionNotFound"), "has no commit 01234567"),
        ((418, "Teapot"), "answered 418"),
    ],
)
@pytest.mark.parametrize("looked_up", [False, True])
def test_what_waiting_does_not_cure_says_what_does(
    hub: HubServer, opened: Opened, refusal: tuple[int, str], mentions: str, looked_up: bool
) -> None:
    repository = hub.add(ID, export_files())
    files = opened()
    if looked_up:
        assert files.model
    repository.refusal = refusal
    assert mentions in complaint(files.audio_model)


@pytest.mark.parametrize("reference", [ID, f"{ID}@main", f"{ID}@{REVISION[:7]}"])
def test_a_model_without_a_revision_is_told_its_newest(
    hub: HubServer, opened: Opened, reference: str
) -> None:
    hub.add(ID, export_files())
    assert f"CLAP_MODEL={ID}@{REVISION}" in complaint(lambda: opened(reference).model)


def test_without_a_connection_a_model_without_a_revision_is_told_what_it_lacks(
    opened: Opened,
) -> None:
    message = complaint(lambda: opened(ID, at="http://127.0.0.1:1").model)
    assert "needs a revision, the 40 digits of one of its commits behind @" in message


def test_hashes_that_were_looked_up_are_kept_and_never_change(
    hub: HubServer, opened: Opened, tmp_path: Path
) -> None:
    files = export_files()
    repository = hub.add(ID, files)
    before = opened().model
    # A hub that gives another file for the same commit, and a cache that was emptied.
    repository.files = {**files, TEXT: b"other " * 1000}
    assert opened().model == before
    assert f"another {TEXT}" in complaint(opened().text_model)
    lock = tmp_path / "models" / f"someone--clap@{REVISION}.json"
    lock.write_text(lock.read_text().replace('"sha256"', '"sha"'))
    with pytest.raises(ConfigurationError, match=r"someone--clap@.*is damaged: delete it"):
        assert opened().model


@pytest.mark.parametrize(
    ("preprocessor", "mentions"),
    [
        ({"truncation": "fusion"}, 'hears truncation "fusion"'),
        ({"frequency_min": 0}, "hears frequency_min 0"),
        ({"sampling_rate": 44_100}, "hears sampling_rate 44100"),
        ({"feature_size": 128}, "hears feature_size 128"),
    ],
)
def test_an_export_that_hears_another_spectrogram_is_refused_before_its_weights_are_fetched(
    hub: HubServer, opened: Opened, preprocessor: dict[str, object], mentions: str
) -> None:
    hub.add(ID, export_files(**preprocessor))
    assert mentions in complaint(opened().audio_model)
    assert hub.downloads(AUDIO) == []


def test_a_precision_that_the_repository_lacks_is_named_with_the_other(
    hub: HubServer, opened: Opened
) -> None:
    files = export_files()
    del files[AUDIO]
    hub.add(ID, files)
    assert f"has no {AUDIO}; try CLAP_PRECISION=fp32" in complaint(lambda: opened().model)
    assert opened(precision="fp32").audio_model().read_bytes() == files["onnx/audio_model.onnx"]


@pytest.mark.parametrize("name", ["tokenizer.json", "preprocessor_config.json"])
def test_a_repository_that_is_no_such_export_is_refused(
    hub: HubServer, opened: Opened, name: str
) -> None:
    files = export_files()
    del files[name]
    hub.add(ID, files)
    assert f"has no {name}" in complaint(lambda: opened().model)


def test_a_full_or_closed_cache_is_said(hub: HubServer, opened: Opened, tmp_path: Path) -> None:
    hub.add(ID, export_files())
    assert opened().model
    (tmp_path / "cache" / "models--someone--clap" / "blobs").rename(tmp_path / "blobs")
    (tmp_path / "cache" / "models--someone--clap" / "blobs").write_bytes(b"in the way")
    assert "set HF_HOME to a writable folder" in complaint(opened().text_model)


@pytest.mark.slow
def test_a_process_needs_the_hub_for_its_first_start_alone(hub: HubServer, tmp_path: Path) -> None:
    hub.add(ID, export_files())
    fingerprint, text = _output(tmp_path, HF_ENDPOINT=hub.url)
    assert text == "text"
    assert (tmp_path / "hf" / "hub" / "models--someone--clap").is_dir()
    asked = len(hub.asked)
    assert _output(tmp_path, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1") == [fingerprint, "text"]
    assert len(hub.asked) == asked


def test_the_hubs_own_offline_switch_is_named(hub: HubServer, tmp_path: Path) -> None:
    hub.add(ID, export_files())
    (line,) = _output(tmp_path, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert line.startswith("error: CLAP_MODEL: ")
    assert "HF_HUB_OFFLINE forbids" in line
    assert hub.asked == []


def _process(home: Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", IN_A_PROCESS],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "MOODSEARCH_HOME": str(home / "home"),
            "HF_HOME": str(home / "hf"),
            "CLAP_MODEL": REFERENCE,
            **environment,
        },
        stdout=subprocess.PIPE,
        text=True,
    )


def _output(home: Path, **environment: str) -> list[str]:
    with _process(home, **environment) as process:
        return process.communicate(timeout=30)[0].splitlines()
