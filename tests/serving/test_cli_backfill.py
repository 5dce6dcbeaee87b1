"""`moodsearch backfill`: what it says of work that it could not do."""

import shutil
from pathlib import Path

import pytest

from tests.audio.files import float_wav, noise
from tests.serving.command import ROOT, Command

FIXTURE = ROOT / "tests" / "embedding" / "clap_fixture"


def test_why_a_block_failed_is_one_line_however_narrow_the_terminal(
    moodsearch: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "clap"
    shutil.copytree(FIXTURE, model)
    text_tower, audio_tower = (
        model / "onnx" / f"{kind}_model_quantized.onnx" for kind in ("text", "audio")
    )
    shutil.copy(text_tower, audio_tower)
    (tmp_path / "noise.wav").write_bytes(float_wav(noise(0.5, 48_000, 1, 1), 48_000))
    monkeypatch.setenv("CLAP_MODEL", str(model))
    monkeypatch.setenv("COLUMNS", "40")
    assert moodsearch("add", str(tmp_path / "noise.wav")).status == 0
    outcome = moodsearch("backfill")
    assert outcome.status == 1
    (line,) = [each for each in outcome.output.splitlines() if "failed:" in each]
    assert str(audio_tower) in line
    assert line.endswith("use the audio and text towers of an export of laion/clap-htsat-unfused")
