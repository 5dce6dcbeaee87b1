"""Opens audio through FFmpeg under guards, for files and for remote objects alike.

What FFmpeg may do with somebody's upload is bounded here: which formats it may see in it, how much
it may read, how many threads it may use. What goes wrong is sorted here: a damaged file becomes a
`TrackError`, a source that cannot be read raises its own error and never looks like a damaged file.
"""

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard

from resources.audio.formats import ACCEPTED_DEMUXERS, canonical_format, looks_like_audio
from resources.errors import TrackError

BUFFER_BYTES: Final = 64 * 1024
"""What FFmpeg reads at once."""

FAST_SEEK_BYTES: Final = 32 * 1024 * 1024
"""MP3 has no index: finding an exact place means reading every frame header before it. In files
beyond this size (about 15 minutes at 320 kbit/s) places are found by proportion instead."""

_READ_ALLOWANCE: Final = (16, 64 * 1024 * 1024)
"""A file may be read this many times over, plus these bytes: far more than any sound file needs,
and an end for files made to be searched forever."""

_DEMUX_ERRORS: Final = 64
"""Broken places in a row after which the rest of a file is given up."""


class _GuardedFile:
    """The file object that FFmpeg reads from. Counts what is read; keeps the source's errors.

    An exception cannot cross FFmpeg: it would be taken for the end of the file and reported later,
    if at all. So the first one is kept in `error`, and from then on the file is at its end. There
    is no `name`: FFmpeg must judge by content.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, io.SEEK_END)
        factor, extra = _READ_ALLOWANCE
        self._allowance = factor * self.size + extra
        self._position = 0
        self._file_position = self.size
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        if self.error is not None:
            return b""
        try:
            if self._allowance < 0:
                raise TrackError("damaged: analysing it takes too long")
            if self._file_position != self._position:
                self._file.seek(self._position)
            data = self._file.read(size) or b""
        except BaseException as error:  # raised again by open_audio
            self.error = error
            return b""
        self._position = self._file_position = self._position + len(data)
        self._allowance -= len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            return -1  # FFmpeg's sign of an error
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position


@dataclass(frozen=True)
class AudioFile:
    """An opened file with its audio stream. Times are seconds from the first audible sample."""

    container: InputContainer
    stream: AudioStream
    size: int

    @property
    def codec(self) -> str:
        return self.stream.codec_context.codec.canonical_name

    @property
    def format(self) -> str:
        return canonical_format(self.container.format.name, self.codec)

    @property
    def claimed_duration(self) -> float | None:
        """What the container says or FFmpeg guesses from the bit rate; None for neither."""
        if self.stream.duration is not None and self.stream.time_base is not None:
            return float(self.stream.duration * self.stream.time_base)
        return None if self.container.duration is None else self.container.duration / av.time_base

    def seconds(self, timestamp: int) -> float:
        """Seconds for a timestamp of the stream."""
        assert self.stream.time_base is not None
        return float((timestamp - (self.stream.start_time or 0)) * self.stream.time_base)

    def sample_index(self, timestamp: int, sample_rate: int) -> int:
        """The nearest sample at `sample_rate` to a timestamp of the stream, exactly."""
        assert self.stream.time_base is not None
        base = self.stream.time_base
        ticks = (timestamp - (self.stream.start_time or 0)) * base.numerator * sample_rate
        return (2 * ticks + base.denominator) // (2 * base.denominator)

    def seek(self, seconds: float) -> bool:
        """Go to the last place at or before `seconds` where decoding can begin.

        False when there is no way to go there; the position is then undefined but later.
        """
        assert self.stream.time_base is not None
        offset = int(max(0.0, seconds) / self.stream.time_base) + (self.stream.start_time or 0)
        try:
            self.container.seek(offset, stream=self.stream)
        except (av.FFmpegError, OverflowError):
            return False
        return True

    def packets(self) -> "Iterator[Packet[AudioStream]]":
        """The stream's packets from here to the end, past broken places. The last one is empty:
        it makes the decoder give what it holds back."""
        errors = 0
        while errors < _DEMUX_ERRORS:
            try:
                for packet in self.container.demux(self.stream):
                    errors = 0
                    yield packet
            except av.FFmpegError:
                errors += 1
            else:
                return

    def frames(self) -> Iterator[AudioFrame]:
        """The stream's decoded frames from here to the end; what cannot be decoded is skipped."""
        for packet in self.packets():
            try:
                yield from self.stream.codec_context.decode(packet)
            except av.FFmpegError:
                continue


@contextmanager
def open_audio(source: Path | BinaryIO) -> Iterator[AudioFile]:
    """Open `source` for demuxing and decoding; a given file object stays open afterwards.

    Raises `TrackError` with the reason when it is not audio that can be used, and whatever the
    source itself raises (`OSError`, `BackendError`), also when that happens inside the block.
    """
    with ExitStack() as stack:
        file = _GuardedFile(_binary_file(source, stack))
        try:
            container = stack.enter_context(_container(file))
            yield AudioFile(container, _prepared_stream(container), file.size)
        except (av.FFmpegError, TrackError) as error:
            if file.error is not None:
                raise file.error from None
            if isinstance(error, TrackError):
                raise
            raise TrackError(_reason(file)) from error
        if file.error is not None:
            raise file.error


def _container(file: _GuardedFile) -> InputContainer:
    if file.size == 0:
        raise TrackError("empty file")
    return av.open(
        file,
        "r",
        options={
            "format_whitelist": ACCEPTED_DEMUXERS,
            "protocol_whitelist": "file",
            # Stream analysis: FFmpeg's defaults, stated because they bound time and memory.
            "probesize": "5000000",
            "analyzeduration": "5000000",
            "fflags": "+fastseek" if file.size > FAST_SEEK_BYTES else "-fastseek",
        },
        # Tags come in any encoding; `tags` makes sense of the bytes.
        metadata_errors="surrogateescape",
        buffer_size=BUFFER_BYTES,
    )


def _binary_file(source: Path | BinaryIO, stack: ExitStack) -> BinaryIO:
    if not isinstance(source, Path):
        return source
    if source.exists() and not source.is_file():  # a folder, or a pipe that would block
        raise TrackError("not a regular file")
    return stack.enter_context(source.open("rb", buffering=0))


def _prepared_stream(container: InputContainer) -> AudioStream:
    """The stream to hear, ready to decode on the calling thread alone."""
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        raise TrackError("no audio stream")
    context: Any = stream.codec_context  # None when FFmpeg has no decoder
    if context is None or stream.time_base is None:
        raise TrackError("audio codec not supported")
    # Many files are decoded at the same time; FFmpeg would start a thread per core for each.
    context.thread_count = 1
    try:
        context.open()
    except av.FFmpegError as error:
        raise TrackError(f"damaged: the {context.codec.canonical_name} header is broken") from error
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    return stream


def _reason(file: _GuardedFile) -> str:
    file.seek(0)
    return (
        "truncated or damaged: no complete frame"
        if looks_like_audio(file.read(16))
        else "not an audio file"
    )
