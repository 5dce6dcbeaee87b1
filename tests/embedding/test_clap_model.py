"""CLAP in process: what it takes, what it refuses, and in which words."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer

from resources.audio.windows import WINDOW_SAMPLES
from resources.embedding.clap.audio import AudioTower
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.mel import log_mel
from resources.embedding.clap.model import ClapModel
from resources.embedding.clap.text import MAX_TOKENS, ClapTextTower, load_tokenizer, token_ids
from resources.embedding.protocol import EMBEDDING_DIMENSION
from resources.errors import ConfigurationError

FIXTURE = Path(__file__).parent / "clap_fixture"
AUDIO, TEXT = FIXTURE / "onnx/audio_model.onnx", FIXTURE / "onnx/text_model.onnx"
TOKENIZER = FIXTURE / "tokenizer.json"
ODD = FIXTURE / "odd"

Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def clap() -> ClapModel:
    return ClapModel(FolderFiles(FIXTURE, "int8"), text_threads=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return shutil.copytree(FIXTURE, tmp_path / "clap")


def noise(seed: int, count: int = 1) -> Array:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (count, WINDOW_SAMPLES))
    return samples.astype(np.float32)


def assert_unit_vectors(vectors: Array, count: int) -> None:
    assert vectors.shape == (count, EMBEDDING_DIMENSION)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def assert_one_line(error: pytest.ExceptionInfo[ConfigurationError], file: str) -> None:
    message = str(error.value)
    assert message.startswith("CLAP_MODEL: ")
    assert file in message
    assert "\n" not in message
    assert len(message) < 500


def test_vectors_have_length_one(clap: ClapModel) -> None:
    assert_unit_vectors(clap.embed_audio(noise(1, 2)), 2)
    assert_unit_vectors(clap.embed_text(["solo piano", "dark ambient techno"]), 2)


def test_no_windows_and_no_texts_give_no_vectors(clap: ClapModel) -> None:
    assert_unit_vectors(clap.embed_audio(np.zeros((0, WINDOW_SAMPLES), np.float32)), 0)
    assert_unit_vectors(clap.embed_text([]), 0)


@pytest.mark.parametrize("shape", [(WINDOW_SAMPLES,), (1, WINDOW_SAMPLES - 1), (1, 1, 3)])
def test_windows_of_another_shape_are_refused(clap: ClapModel, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="480000"):
        clap.embed_audio(np.zeros(shape, np.float32))


def test_samples_that_are_not_finite_count_as_silence(clap: ClapModel) -> None:
    silenced, broken = noise(2), noise(2)
    silenced[0, 100:200] = 0
    broken[0, 100:150], broken[0, 150:200] = np.nan, np.inf
    np.testing.assert_array_equal(clap.embed_audio(broken), clap.embed_audio(silenced))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a" * 100_000,
        "word " * 20_000,
        "🎷" * 25_000,
        "".join(map(chr, range(32))) + "\x7f\x80\x9f",
        "\ud83c",
        "lone \udfb7 and \ud83c\ud83c",
        "<s></s><pad><mask><unk>",
        "जैज़ 재즈 ジャズ جاز תזמורת джаз ดนตรี ጃዝ 𒀀𝄞",
        "e\u0301\u200d\u202e\ufeff\U0010ffff",
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_every_text_has_a_vector(clap: ClapModel, text: str) -> None:
    assert_unit_vectors(clap.embed_text([text]), 1)


@given(st.text(st.characters(), max_size=200))
@settings(max_examples=50, deadline=None)
def test_ids_stand_between_start_and_end_and_are_not_too_many(text: str) -> None:
    ids = token_ids(_tokenizer(), text)
    assert (ids[0], ids[-1]) == (0, 2)
    assert len(ids) <= MAX_TOKENS


def test_a_pair_of_surrogates_is_the_character_that_it_encodes() -> None:
    assert token_ids(_tokenizer(), "\ud83c\udfb7") == token_ids(_tokenizer(), "🎷")


def test_a_long_text_is_its_beginning(clap: ClapModel) -> None:
    first, second = clap.embed_text(["dark drums " * 100 + end for end in ("", "and a flute")])
    np.testing.assert_array_equal(first, second)


def test_the_tokenizer_files_own_truncation_and_padding_do_not_count(folder: Path) -> None:
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    expected = token_ids(tokenizer, "slow piano")
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert token_ids(load_tokenizer(folder / "tokenizer.json"), "slow piano") == expected


def test_threads_share_a_model_that_opens_each_tower_once(folder: Path) -> None:
    files = CountedFiles(folder, "int8")
    model = ClapModel(files, text_threads=1)
    windows, texts = [noise(seed) for seed in range(8)], [f"song {n}" for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        heard = list(threads.map(model.embed_audio, windows))
        read = list(threads.map(lambda text: model.embed_text([text]), texts))
    assert files.asked == ["audio_model", "text_model", "tokenizer"]
    np.testing.assert_array_equal(heard, [model.embed_audio(each) for each in windows])
    np.testing.assert_array_equal(read, [model.embed_text([each]) for each in texts])


class CountedFiles(FolderFiles):
    """Remembers what it was asked for."""

    def __init__(self, folder: Path, precision: str) -> None:
        super().__init__(folder, "int8" if precision == "int8" else "fp32")
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def audio_model(self) -> Path:
        return self._asked("audio_model", super().audio_model())

    def text_model(self) -> Path:
        return self._asked("text_model", super().text_model())

    def tokenizer(self) -> Path:
        return self._asked("tokenizer", super().tokenizer())

    def _asked(self, name: str, path: Path) -> Path:
        with self._lock:
            self.asked.append(name)
        return path


def test_queries_need_no_audio_tower(folder: Path) -> None:
    files = CountedFiles(folder, "int8")
    ClapModel(files, text_threads=1).embed_text(["rain"])
    assert files.asked == ["text_model", "tokenizer"]


def test_a_tower_that_failed_to_open_is_opened_when_its_file_is_repaired(folder: Path) -> None:
    model = ClapModel(LooseFiles(folder), text_threads=1)
    graph = folder / "onnx/text_model.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(whole[:1000])
    with pytest.raises(ConfigurationError):
        model.embed_text(["rain"])
    graph.write_bytes(whole)
    assert_unit_vectors(model.embed_text(["rain"]), 1)


class LooseFiles(FolderFiles):
    """A folder whose files nobody hashes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "fp32")
        self._root = folder

    def text_model(self) -> Path:
        return self._root / "onnx/text_model.onnx"

    def tokenizer(self) -> Path:
        return self._root / "tokenizer.json"


@pytest.mark.parametrize("damage", ["empty", "text", "half", "no folder"])
def test_a_file_that_is_no_graph_is_refused_in_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "audio_model.onnx"
    if damage != "no folder":
        whole = AUDIO.read_bytes()
        content = {"empty": b"", "text": b"<!doctype html>", "half": whole[: len(whole) // 2]}
        path.write_bytes(content[damage])
    with pytest.raises(ConfigurationError) as error:
        AudioTower(path, threads=1)
    assert_one_line(error, "audio_model.onnx")


def test_one_tower_is_refused_in_the_place_of_the_other() -> None:
    with pytest.raises(ConfigurationError, match="takes input_ids, not input_features") as error:
        AudioTower(TEXT, threads=1)
    assert_one_line(error, "text_model.onnx")
    with pytest.raises(ConfigurationError, match="takes input_features, not input_ids") as error:
        ClapTextTower(AUDIO, TOKENIZER, threads=1)
    assert_one_line(error, "audio_model.onnx")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"version": "1.0"}'])
def test_a_file_that_is_no_tokenizer_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as error:
        load_tokenizer(path)
    assert_one_line(error, "tokenizer.json")


def test_a_tokenizer_that_does_not_end_texts_is_refused(folder: Path) -> None:
    path = folder / "tokenizer.json"
    before, _, after = path.read_text().partition('"post_processor": {')
    path.write_text(before + '"post_processor": null' + after[after.index("}") + 1 :])
    with pytest.raises(ConfigurationError, match="between <s> and </s>") as error:
        load_tokenizer(path)
    assert_one_line(error, "tokenizer.json")


@pytest.mark.parametrize(
    "name", ["with_is_longer", "other_output_name", "hidden_states_too", "batch_of_one"]
)
def test_a_graph_is_fed_what_it_declares_and_its_one_embedding_is_taken(name: str) -> None:
    vectors = AudioTower(ODD / f"{name}.onnx", threads=1).embed(noise(3, 2))
    assert_unit_vectors(vectors, 2)
    expected = np.stack([log_mel(window).ravel()[:512] for window in noise(3, 2)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_a_text_graph_may_declare_all_of_roberta_inputs() -> None:
    (vector,) = ClapTextTower(ODD / "all_text_inputs.onnx", TOKENIZER, threads=1).embed(
        ["slow piano"]
    )
    ids = token_ids(_tokenizer(), "slow piano")
    positions = range(2, 2 + len(ids))  # RoBERTa's first position is the one after padding's
    sums = np.array([sum(ids), len(ids), sum(positions), 0])
    np.testing.assert_allclose(vector[:4] / vector[4], sums, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unknown_input", "genre and input_features"),
        ("two_of_512", "output_0 and output_1"),
    ],
)
def test_another_graph_is_refused_when_it_is_opened(name: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as error:
        AudioTower(ODD / f"{name}.onnx", threads=1)
    assert_one_line(error, f"{name}.onnx")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fused", "cannot be run: .* dimensions for input: input_features"),
        ("half_precision", "cannot be run: .*float16"),
        ("of_768", r"answers \(1, 768\), not \(1, 512\)"),
    ],
)
def test_another_graph_is_refused_before_it_gives_a_vector(name: str, reason: str) -> None:
    tower = AudioTower(ODD / f"{name}.onnx", threads=1)
    with pytest.raises(ConfigurationError, match=reason) as error:
        tower.embed(noise(4))
    assert_one_line(error, f"{name}.onnx")


@pytest.mark.parametrize(("name", "length"), [("zeros", "0"), ("not_a_number", "nan")])
def test_a_vector_without_a_direction_is_never_returned(name: str, length: str) -> None:
    tower = AudioTower(ODD / f"{name}.onnx", threads=1)
    with pytest.raises(ConfigurationError, match=f"a vector of length {length}") as error:
        tower.embed(noise(4))
    assert_one_line(error, f"{name}.onnx")


def test_ids_beyond_the_graphs_vocabulary_are_refused_in_one_line(folder: Path) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = {
        token: place + (10_000 if place > 4 else 0) for token, place in vocabulary.items()
    }
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match="cannot be run") as error:
        ClapTextTower(TEXT, path, threads=1).embed(["rain"])
    assert_one_line(error, "text_model.onnx")


@cache
def _tokenizer() -> Tokenizer:
    return load_tokenizer(TOKENIZER)
