"""`moodsearch doctor` and `backfill --reclassify`, when the classifier was changed."""

from pathlib import Path

import pytest

from resources.backends import Backends
from resources.settings import load_settings
from tests.fakes.loopback import Answer, Host
from tests.fakes.replicate import SCORES, TOKEN, prediction, uploaded_file
from tests.serving.command import Command, write_tone

pytestmark = pytest.mark.slow


@pytest.fixture
def classified(moodsearch: Command, tmp_path: Path) -> Command:
    """Two tracks that were embedded, indexed and classified zero-shot."""
    for hertz in (220, 330):
        write_tone(tmp_path / "music" / f"{hertz}.wav", hertz)
    assert moodsearch("add", str(tmp_path / "music")).status == 0
    assert moodsearch("backfill").status == 0
    return moodsearch


def test_doctor_says_who_classified(classified: Command) -> None:
    output = classified("doctor").output
    assert "2 tracks          from zero-shot (mood-search/offline" in output
    assert "reclassify" not in output


def test_a_changed_classifier_is_said_and_waits_to_be_asked(
    classified: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Host() as replicate:
        replicate.on("POST /v1/files", Answer(201, uploaded_file(f"{replicate.url}/audio.wav")))
        replicate.on("DELETE /v1/files/f1", Answer(204, b""))
        done = prediction("succeeded", output=f"{replicate.url}/out.json")
        replicate.on("POST /v1/predictions", Answer(201, done))
        replicate.on("GET /out.json", Answer(200, SCORES))
        monkeypatch.setenv("REPLICATE_ENABLED", "true")
        monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
        monkeypatch.setenv("REPLICATE_BASE_URL", replicate.url)

        doctor = classified("doctor")
        assert doctor.status == 0
        assert (
            "0 tracks          from effnet-discogs 1532dd06, which is configured" in doctor.output
        )
        assert "moodsearch backfill --reclassify" in doctor.output
        assert "Nothing is pending" in classified("backfill").output
        dry = classified("backfill", "--dry-run", "--reclassify").output
        assert "2 tracks that another classifier classified would be done again." in dry
        assert "less than $0.01" in dry
        assert replicate.requests == []

        assert classified("backfill", "--reclassify", "--limit", "1").status == 0
        assert len(replicate.sent("POST /v1/predictions")) == 1
        assert classified("backfill", "--reclassify").status == 0
        assert len(replicate.sent("POST /v1/predictions")) == 2
        assert "Nothing is pending" in classified("backfill", "--reclassify").output
        assert "2 predictions" in classified("costs").output
    with Backends(load_settings()) as backends:
        assert backends.classified_by.counts() == {"effnet-discogs 1532dd06": 2}
        rows = backends.database.rows("SELECT extra FROM public.tracks")
    assert all(row["extra"].keys() >= {"genre_predictions"} for row in rows)
    assert {row["extra"]["genre_predictions"][0]["name"] for row in rows} == {"ambient"}
