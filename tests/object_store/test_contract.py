"""What every object store does, whatever is behind it."""

import io
import tracemalloc
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.errors import ObjectNotFoundError, UserError
from resources.object_store.keys import RESERVED_PREFIX, InvalidKeyError
from resources.object_store.protocol import ObjectStore
from resources.object_store.ranges import BLOCK_BYTES

KEYS = [
    "audio/1.mp3",
    "with spaces/and  two.flac",
    "quotes/'single' \"double\" `back`.wav",
    "percent/%2F%00%zz+plus&and=equals?question#hash",
    "emoji/🎧🎶.ogg",
    unicodedata.normalize("NFC", "Björk/Jóga.mp3"),
    unicodedata.normalize("NFD", "Björk/Jóga.mp3"),
    "dots/...three/.hidden/a..b",
    "backslash\\colon:star*pipe|<>",
    "tilde~/-dash/_underscore",
    "long/" + "s" * 255,
    "/".join(["deep"] * 100),
]

INVALID_KEYS = [
    "",
    "/absolute",
    "..",
    "../outside",
    "a/../../b",
    "a/./b",
    "a//b",
    "folder/",
    "nul\0byte",
    "line\nbreak",
    "s" * 256,
    "ü" * 128,
    "x/" * 512 + "y",
    "lone surrogate \ud800",
    f"a/{RESERVED_PREFIX}0",
]

MEBIBYTE = 1 << 20


def pattern(length: int) -> bytes:
    """Bytes in which every block differs from its neighbours."""
    return b"".join(index.to_bytes(4, "big") for index in range(length // 4 + 1))[:length]


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_an_object_can_be_read_under_the_key_it_was_stored_under(
    store: ObjectStore, key: str
) -> None:
    store.put(key, b"sound")
    assert store.get(key) == b"sound"
    assert store.size(key) == 5
    assert store.exists(key)
    assert list(store.keys("")) == [key]
    with store.open(key) as file:
        assert file.read() == b"sound"
    store.delete(key)
    assert not store.exists(key)


def test_keys_that_some_store_cannot_hold_are_refused_by_all(store: ObjectStore) -> None:
    for key in INVALID_KEYS:
        with pytest.raises(InvalidKeyError) as refusal:
            store.put(key, b"sound")
        assert "\n" not in str(refusal.value)
        # A reader takes it for an object that is not there.
        with pytest.raises(ObjectNotFoundError):
            store.get(key)
        with pytest.raises(ObjectNotFoundError), store.open(key):
            pass
        assert not store.exists(key)
        store.delete(key)
    assert list(store.keys("")) == []


def test_normal_forms_of_one_name_are_two_objects(store: ObjectStore) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    store.put(composed, b"composed")
    store.put(decomposed, b"decomposed")
    assert (store.get(composed), store.get(decomposed)) == (b"composed", b"decomposed")


def test_what_is_absent_is_not_found(store: ObjectStore) -> None:
    store.put("a/b", b"sound")
    for key in ("nothing", "a", "a/c", "a/b/c", "nowhere/at/all"):
        with pytest.raises(ObjectNotFoundError):
            store.get(key)
        with pytest.raises(ObjectNotFoundError):
            store.size(key)
        with pytest.raises(ObjectNotFoundError), store.open(key):
            pass
        assert not store.exists(key)
        store.delete(key)
    assert store.get("a/b") == b"sound"


def test_a_new_object_replaces_the_old_one(store: ObjectStore, tmp_path: Path) -> None:
    store.put("key", b"a long first version")
    store.put("key", b"second")
    assert store.get("key") == b"second"
    (tmp_path / "file").write_bytes(b"third")
    store.put_file("key", tmp_path / "file")
    assert store.get("key") == b"third"
    assert list(store.keys("")) == ["key"]


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("empty", b"")
    assert store.get("empty") == b""
    assert store.size("empty") == 0
    with store.open("empty") as file:
        assert file.read(10) == b""


def test_keys_are_listed_in_order_and_by_any_prefix(store: ObjectStore) -> None:
    names = ["a", "a-b", "a.b", "b/c", "b/c-d", "b/d/e", "bb", "c/ü", "c/🎧", "c/z", "B"]
    for name in names:
        store.put(name, b"")
    assert list(store.keys("")) == sorted(names)
    for prefix in ("a", "b", "b/", "b/c", "b/d/", "b/d/e", "b/d/e/", "c/", "x", "../b", "/", "./"):
        expected = sorted(name for name in names if name.startswith(prefix))
        assert list(store.keys(prefix)) == expected


@pytest.mark.slow
def test_more_keys_than_one_page_are_all_listed(store: ObjectStore) -> None:
    names = [f"page/{number:04d}" for number in range(1005)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: store.put(name, b""), names))
    assert list(store.keys("page/")) == names


def test_concurrent_writers_of_one_key_never_mix(store: ObjectStore) -> None:
    versions = [bytes([number]) * 100_000 for number in range(8)]
    store.put("contended", versions[0])

    def write(version: bytes) -> None:
        for _ in range(5):
            store.put("contended", version)

    with ThreadPoolExecutor(12) as threads:
        writes = [threads.submit(write, version) for version in versions]
        reads = [threads.submit(store.get, "contended") for _ in range(40)]
        seen = Counter(read.result() for read in reads)
        for written in writes:
            written.result()
    seen.update([store.get("contended")])
    assert set(seen) <= set(versions)
    assert list(store.keys("")) == ["contended"]


@pytest.fixture
def patterned(store: ObjectStore) -> tuple[ObjectStore, bytes]:
    data = pattern(3 * BLOCK_BYTES + 1234)
    store.put("patterned", data)
    return store, data


moves = st.lists(
    st.tuples(
        st.sampled_from([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END]),
        st.integers(-4 * BLOCK_BYTES, 4 * BLOCK_BYTES),
        st.one_of(st.integers(0, 5000), st.integers(0, 4 * BLOCK_BYTES)),
    ),
    max_size=8,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=moves)
def test_an_open_object_reads_like_a_file_in_memory(
    patterned: tuple[ObjectStore, bytes], moves: list[tuple[int, int, int]]
) -> None:
    store, data = patterned
    expected = io.BytesIO(data)
    with store.open("patterned") as file:
        assert file.seekable()
        for whence, offset, length in moves:
            origin = (0, expected.tell(), len(data))[whence]
            position = expected.seek(max(0, origin + offset))
            assert file.seek(max(-origin, offset), whence) == position
            assert file.read(length) == expected.read(length)
            assert file.tell() == expected.tell()


def test_a_big_file_is_stored_in_bounded_memory(store: ObjectStore, tmp_path: Path) -> None:
    size = 96 * MEBIBYTE
    source = tmp_path / "album.wav"
    with source.open("wb") as file:
        file.write(b"start")
        file.truncate(size - 3)
        file.seek(0, io.SEEK_END)
        file.write(b"end")
    tracemalloc.start()
    store.put_file("album.wav", source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert store.size("album.wav") == size
    with store.open("album.wav") as stored:
        assert stored.read(5) == b"start"
        stored.seek(-3, io.SEEK_END)
        assert stored.read() == b"end"
    assert peak < size / 2


def test_a_missing_source_file_is_the_users_mistake(store: ObjectStore, tmp_path: Path) -> None:
    for source in (tmp_path / "absent.mp3", tmp_path):
        with pytest.raises(UserError, match="Could not read"):
            store.put_file("key", source)
    assert not store.exists("key")


def test_a_usable_store_passes_its_check_and_keeps_nothing_of_it(store: ObjectStore) -> None:
    store.check()
    store.check()
    assert list(store.keys("")) == []
