"""`GET /tracks/{track_id}/artwork/{name}`: covers of imported tracks, while they are public."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from resources.audio.artwork import MOST_BYTES, picture_key
from resources.backends import Backends
from resources.catalogue.tracks.uploads import Upload
from tests.audio.covers import JPEG, with_cover
from tests.audio.files import ENCODINGS, noise, png, write_audio
from tests.catalogue.names import add_album, until_followed
from tests.catalogue.rows import add_track, update_track
from tests.serving.command import write_tone


@pytest.fixture
def upload(backends: Backends, tmp_path: Path) -> Upload:
    return backends.uploads.add(with_cover(tmp_path / "song.mp3", png()))


def image_url(backends: Backends, upload: Upload) -> str:
    url = backends.tracks.public([upload.track_id])[upload.track_id].image_url
    assert url is not None
    return url


def test_an_imported_cover_is_served_where_search_says(
    client: TestClient, backends: Backends, upload: Upload
) -> None:
    until_followed(backends.database)
    found: dict[str, Any] = client.get("/search/", params={"q": upload.title}).json()
    (track,) = (result for result in found["results"] if result["type"] == "track")
    response = client.get(track["image_url"])
    assert response.status_code == 200
    assert response.content == png()
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    version = {"If-None-Match": response.headers["ETag"]}
    assert client.get(track["image_url"], headers=version).status_code == 304


def test_the_tracks_of_a_folder_share_its_cover_and_so_does_their_album(
    backends: Backends, tmp_path: Path
) -> None:
    (tmp_path / "cover.jpg").write_bytes(JPEG)
    uploads = [backends.uploads.add(write_tone(tmp_path / f"{n}.wav", n)) for n in (220, 440)]
    urls = [image_url(backends, upload) for upload in uploads]
    assert len({url.rpartition("/")[2] for url in urls}) == 1
    assert len(list(backends.store.keys("artwork/"))) == 1


def test_an_album_shows_the_cover_of_a_track_that_is_public(
    client: TestClient, backends: Backends, tmp_path: Path
) -> None:
    tracks = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        if number < 2:
            (folder / "cover.png").write_bytes(png() + bytes([number]))
        samples = noise(0.1, 44_100, 1, number)
        tags = {"artist": "Ana", "album": "Glass Harbour"}
        path = write_audio(folder / "x.flac", samples, ENCODINGS["flac"], tags=tags)
        tracks.append(backends.uploads.add(path))

    def shown() -> str | None:
        found = client.get("/search/", params={"q": "glass harbour", "type": "albums"}).json()
        (album,) = found["results"]
        url: str | None = album["image_url"]
        return url

    until_followed(backends.database)
    first, second = (image_url(backends, track) for track in tracks[:2])
    assert shown() == first
    update_track(backends.database, tracks[0].track_id, visibility="private")
    assert shown() == second
    assert client.get(second).status_code == 200
    update_track(backends.database, tracks[0].track_id, visibility="public")
    assert shown() == first
    ids = {"ids": [track.track_id for track in tracks[:2]]}
    backends.database.rows("DELETE FROM public.tracks WHERE id = ANY(%(ids)s)", ids)
    assert shown() is None


def test_an_albums_own_cover_is_nobody_elses(client: TestClient, backends: Backends) -> None:
    album = add_album(backends.database, "Glass Harbour", track=add_track(backends.database))
    url = "https://images.example.com/tracks/1/artwork/x.png"
    set_url = "UPDATE public.albums SET image_url = %(url)s WHERE id = %(id)s"
    backends.database.rows(set_url, {"url": url, "id": album})
    until_followed(backends.database)
    found = client.get("/search/", params={"q": "glass harbour", "type": "albums"}).json()
    assert [result["image_url"] for result in found["results"]] == [url]


def test_a_cover_that_comes_later_is_taken_by_adding_the_file_again(
    client: TestClient, backends: Backends, tmp_path: Path
) -> None:
    path = write_tone(tmp_path / "song.wav")
    assert not backends.uploads.add(path).has_cover
    (tmp_path / "cover.jpg").write_bytes(JPEG)
    again = backends.uploads.add(path)
    assert (again.is_new, again.has_cover) == (False, True)
    url = image_url(backends, again)
    assert client.get(url).content == JPEG
    (tmp_path / "cover.jpg").write_bytes(JPEG + b"other")
    assert backends.uploads.add(path).has_cover
    assert image_url(backends, again) == url


def test_only_a_public_tracks_own_cover_is_shown(
    client: TestClient, backends: Backends, upload: Upload
) -> None:
    url = image_url(backends, upload)
    other = add_track(backends.database)
    assert client.get(url.replace(f"/{upload.track_id}/", f"/{other}/")).status_code == 404
    update_track(backends.database, upload.track_id, visibility="private")
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("name", ["..%2F..%2Fsecret", "x.svg", "0" * 32 + ".svg", "0" * 32])
def test_no_name_leads_elsewhere(client: TestClient, upload: Upload, name: str) -> None:
    assert client.get(f"/tracks/{upload.track_id}/artwork/{name}").status_code in {404, 422}


def test_a_cover_that_is_gone_or_was_replaced_by_something_huge_breaks_nothing(
    client: TestClient, backends: Backends, upload: Upload
) -> None:
    url = image_url(backends, upload)
    key = picture_key(url.rpartition("/")[2])
    backends.store.put(key, bytes(MOST_BYTES + 1))
    assert len(client.get(url).content) == MOST_BYTES
    backends.store.delete(key)
    assert client.get(url).status_code == 404
