"""Files that several tests read, made once for each test session."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audio.files import ENCODINGS, RARE_ENCODINGS, chirp, write_audio

ChirpFile = Callable[[str, float], Path]
"""A stereo chirp in one of the encodings, of so many seconds. To be read, not changed."""


@pytest.fixture(scope="session")
def chirp_file(tmp_path_factory: pytest.TempPathFactory) -> ChirpFile:
    folder = tmp_path_factory.mktemp("chirps")

    def made(name: str, seconds: float) -> Path:
        encoding = {**ENCODINGS, **RARE_ENCODINGS}[name]
        path = folder / f"{name}-{seconds}.{encoding.extension}"
        if not path.exists():
            write_audio(path, chirp(seconds, encoding.sample_rate), encoding)
        return path

    return made
