"""Auto-tagging as a part of the genres' job."""

from resources.backends import Backends
from resources.genres.protocol import GenrePrediction
from tests.pipelines.conftest import Run, Upload


def _mark(backends: Backends, track_id: int) -> None:
    backends.database.rows(
        """UPDATE public.tracks SET extra = extra || '{"auto_tag": true}' WHERE id = %(id)s""",
        {"id": track_id},
    )


def _tagged(backends: Backends) -> set[tuple[int, str]]:
    rows = backends.database.rows(
        "SELECT track_id, name FROM public.track_tags JOIN public.tags ON id = tag_id"
    )
    return {(row["track_id"], row["name"]) for row in rows}


def _extra(backends: Backends, track_id: int) -> dict[str, object]:
    (row,) = backends.database.rows(
        "SELECT extra FROM public.tracks WHERE id = %(id)s", {"id": track_id}
    )
    extra: dict[str, object] = row["extra"]
    return extra


def test_a_marked_upload_is_tagged_when_it_is_classified(
    backends: Backends, upload: Upload, run: Run
) -> None:
    marked, _unmarked = upload(1), upload(2)
    _mark(backends, marked)
    run()
    assert _tagged(backends) == set()
    assert run("classify_genres").success
    tagged = _tagged(backends)
    predictions = _extra(backends, marked)["genre_predictions"]
    assert isinstance(predictions, list)
    least = predictions[0]["confidence"] / 2
    top = {each["name"] for each in predictions[:5] if each["confidence"] >= least}
    assert tagged == {(marked, name) for name in top}
    assert "auto_tag" not in _extra(backends, marked)


def test_a_marked_track_that_the_api_has_classified_is_tagged_too(
    backends: Backends, upload: Upload, run: Run
) -> None:
    track_id = upload(1)
    _mark(backends, track_id)
    run()
    (row,) = backends.database.rows("SELECT file_id FROM public.tracks")
    backends.records.genres(track_id, row["file_id"], [GenrePrediction("ska", 0.9)])
    assert run("classify_genres").success
    assert _tagged(backends) == {(track_id, "ska")}
