"""The service over CLAP's own graphs, small and of random weights: what reaches them gets a vector
or one clear line."""

import json
import struct
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.model import ClapModel
from resources.embedding.modal import ModalEmbedder
from serving.embedding_service import create_embedding_service
from tests.embedding_service.running import only_here, running
from tests.embedding_service.test_bad_input import EMBED_AUDIO, EMBED_TEXT, assert_refused, b64
from tests.embedding_service.test_command import COMMAND, ROOT, started
from tests.embedding_service.test_embedding import track_vector, vector_in
from tests.fakes.files import FileHost
from tests.fakes.hub import REVISION, hub_server

FIXTURE: Final = ROOT / "tests" / "embedding" / "clap_fixture"

SCRIPTS: Final = {
    "Latin": "zażółć gęślą jaźń",
    "Greek": "μουσική της θάλασσας",
    "Cyrillic": "грустная скрипка",
    "Armenian": "տխուր երաժշտություն",
    "Hebrew": "מוזיקה עצובה",
    "Arabic": "موسيقى هادئة",
    "Syriac": "ܡܘܣܝܩܝ",
    "Devanagari": "उदास संगीत",
    "Bengali": "দুঃখের গান",
    "Tamil": "சோகமான இசை",
    "Thai": "เพลงเศร้า",
    "Tibetan": "རོལ་ཆ་",
    "Georgian": "სევდიანი მუსიკა",
    "Ethiopic": "አሳዛኝ ሙዚቃ",
    "Cherokee": "ᏗᎧᏃᎩᏛ",
    "Khmer": "តន្ត្រី",
    "Mongolian": "ᠬᠥᠭᠵᠢᠮ",
    "Hiragana": "しずかなよる",
    "Katakana": "ジャズ",
    "Han": "夜の雨",
    "Hangul": "슬픈 음악",
    "Gothic": "𐌼𐌿𐍃𐌹𐌺𐌰",
    "Egyptian": "𓏞𓀀",
    "Braille": "⠍⠥⠎⠊⠉",
    "emoji": "🎻👩🏽‍🎤🏴‍☠️",
    "combining": "Z̸̡̛a̵͙͠l̶̰̈́g̷̪̈́o̶̜͊",
    "right to left override": "\u202erain\u202c",
    "private use": "\ue000 and \U0010fffd",
}


@pytest.fixture(scope="module")
def clap() -> ClapModel:
    return ClapModel(FolderFiles(FIXTURE, "int8"), text_threads=1)


@pytest.fixture(scope="module")
def clap_url(clap: ClapModel) -> Iterator[str]:
    with running(create_embedding_service(clap, may_reach=only_here)) as url:
        yield url


@pytest.fixture
def clap_client(clap_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=clap_url, timeout=30, trust_env=False) as client:
        yield client


def test_healthz_says_which_clap_answers(clap_client: httpx.Client, clap: ClapModel) -> None:
    assert clap_client.get("/healthz").json() == {
        "status": "ok",
        "model": "clap_fixture",
        "fingerprint": clap.model.fingerprint,
    }


def test_a_file_and_its_address_get_the_pipelines_vector(
    clap_client: httpx.Client, clap: ClapModel, track: Path, files: FileHost
) -> None:
    expected = track_vector(clap, track)
    url = files.add_file(track)
    for body in ({"audio_url": url}, {"audio_b64": b64(track.read_bytes())}):
        vector = vector_in(clap_client.post(EMBED_AUDIO, json=body))
        np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_the_client_of_modal_gets_claps_own_vectors(clap_url: str, clap: ClapModel) -> None:
    texts = list(SCRIPTS.values())[:5]
    modal = ModalEmbedder(f"{clap_url}/embed_audio", f"{clap_url}/embed_text", 30, clap.model)
    with closing(modal):
        np.testing.assert_allclose(modal.embed_text(texts), clap.embed_text(texts), atol=1e-6)


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_every_script_is_text(clap_client: httpx.Client, text: str) -> None:
    vector_in(clap_client.post(EMBED_TEXT, json={"text": text}))


@pytest.mark.parametrize(
    "text",
    ["r" * 2_000, "rain " * 400, "🎻" * 2_000, "雨" * 2_000, "</s><s><pad><mask>", "a\x00b\x1b[0m"],
    ids=["one word", "many words", "emoji", "han", "its own marks", "control characters"],
)
def test_long_and_odd_texts_get_a_vector(clap_client: httpx.Client, text: str) -> None:
    vector_in(clap_client.post(EMBED_TEXT, json={"text": text}))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.characters(), max_size=60))
def test_any_text_gets_a_vector_or_is_called_empty(clap_client: httpx.Client, text: str) -> None:
    answer = clap_client.post(EMBED_TEXT, content=json.dumps({"text": text}))
    if answer.status_code == 422:
        assert answer.json()["error"] in ("text is empty", "text has half a surrogate pair")
    else:
        vector_in(answer)


@pytest.mark.parametrize(
    "sample", [0.0, 1.0, -1.0, 1e-30, 1e6, 1e38, np.inf, -np.inf, np.nan], ids=str
)
def test_samples_of_any_value_get_a_vector_or_a_reason(
    clap_client: httpx.Client, sample: float
) -> None:
    content = _float_wav(np.full(48_000, sample, np.float32))
    answer = clap_client.post(EMBED_AUDIO, json={"audio_b64": b64(content)})
    if answer.status_code == 200:
        vector_in(answer)
    else:
        assert_refused(answer, 422, "")
    assert clap_client.get("/healthz").status_code == 200


@pytest.mark.slow
def test_the_command_fetches_a_model_before_it_listens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, track: Path
) -> None:
    names = ["preprocessor_config.json", "tokenizer.json", "onnx/audio_model_quantized.onnx"]
    names.append("onnx/text_model_quantized.onnx")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("CLAP_MODEL", f"someone/clap@{REVISION}")
    with hub_server() as hub:
        hub.add("someone/clap", {name: (FIXTURE / name).read_bytes() for name in names})
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with started() as (_, url):
            assert len(hub.downloads("onnx/audio_model_quantized.onnx")) == 1
            assert len(hub.downloads("onnx/text_model_quantized.onnx")) == 1
            vector_in(httpx.post(f"{url}{EMBED_TEXT}", json={"text": "rain"}, trust_env=False))
            body = {"audio_b64": b64(track.read_bytes())}
            vector_in(httpx.post(f"{url}{EMBED_AUDIO}", json=body, trust_env=False, timeout=30))


def test_a_graph_that_is_cut_short_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in FIXTURE.rglob("*.*"):
        copy = tmp_path / "clap" / path.relative_to(FIXTURE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes()[: 100_000 if path.suffix == ".onnx" else None])
    monkeypatch.setenv("CLAP_MODEL", str(tmp_path / "clap"))
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: CLAP_MODEL: ")
    assert "audio_model_quantized.onnx" in done.stderr
    assert done.stderr.count("\n") == 1


def _float_wav(samples: NDArray[np.float32]) -> bytes:
    """Mono at 48 kHz. Written here because encoders would clip what is out of range."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, 48_000, 4 * 48_000, 4, 32)
    data = struct.pack("<4sI", b"data", samples.nbytes) + samples.astype("<f4").tobytes()
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data
