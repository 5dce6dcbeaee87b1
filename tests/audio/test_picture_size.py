"""How large a picture is, from its header alone."""

import io
from collections.abc import Callable

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.audio.artwork import MOST_PIXELS_A_SIDE, as_picture
from resources.audio.picture_size import picture_size
from tests.audio.covers import jpeg, webp
from tests.audio.files import png

MAKERS: dict[str, Callable[[int, int], bytes]] = {
    "png": png,
    "jpeg": jpeg,
    "progressive jpeg": lambda w, h: jpeg(w, h, frame=0xC2),
    "webp": webp,
    "lossless webp": lambda w, h: webp(w, h, b"VP8L"),
    "extended webp": lambda w, h: webp(w, h, b"VP8X"),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (5_000, 3), (3, 5_001)])
def test_it_is_what_the_header_says(kind: str, size: tuple[int, int]) -> None:
    assert picture_size(MAKERS[kind](*size)) == size


@pytest.mark.parametrize(("codec", "pixels"), [("png", "rgb24"), ("mjpeg", "yuvj420p")])
def test_it_is_that_of_a_picture_that_an_encoder_wrote(codec: str, pixels: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="image2pipe") as container:
        stream = container.add_stream(codec, rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 74, 46, pixels
        container.mux(stream.encode(av.VideoFrame(74, 46, pixels)))
        container.mux(stream.encode(None))
    assert picture_size(file.getvalue()) == (74, 46)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_picture_too_wide_or_too_tall_is_no_cover(kind: str) -> None:
    most, make = MOST_PIXELS_A_SIDE, MAKERS[kind]
    assert as_picture(make(most, most)) is not None
    for size in ((most + 1, 1), (1, most + 1), (16_000, 16_000)):
        assert as_picture(make(*size)) is None
    if "webp" not in kind:  # Which cannot be larger than 16,383.
        assert as_picture(make(30_000, 30_000)) is None


@pytest.mark.parametrize("kind", MAKERS)
def test_a_header_that_is_cut_off_says_nothing(kind: str) -> None:
    whole = MAKERS[kind](640, 480)
    assert {picture_size(whole[:end]) for end in range(len(whole))} <= {None, (640, 480)}
    assert as_picture(whole[:16]) is None


@given(
    st.sampled_from(
        [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF0000WEBPVP8X", b"RIFF0000WEBPVP8 "]
    ),
    st.binary(max_size=200),
)
def test_whatever_follows_does_no_harm(begin: bytes, rest: bytes) -> None:
    size = picture_size(begin + rest)
    assert size is None or all(side >= 0 for side in size)
