"""Opens audio through FFmpeg under guards, for files and for remote objects alike.

What FFmpeg may do with somebody's upload is bounded here: which formats it may see in it, how much
it may read, how many threads it may use. What goes wrong is sorted here: a damaged file becomes a
`TrackError`, a source that cannot be read raises its own error and never looks like a damaged file.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard

from resources.audio.formats import ACCEPTED_DEMUXERS, canonical_format, looks_like_audio
from resources.audio.guarded_file import GuardedFile
from resources.errors import TrackError

BUFFER_BYTES: Final = 64 * 1024
"""What FFmpeg reads at once."""

FAST_SEEK_BYTES: Final = 64 * 1024 * 1024
"""MP3 has no index: finding an exact place means reading every frame header before it. In files
beyond this size (half an hour at 320 kbit/s) places are found by the encoder's table instead."""

_PRIMING_SECONDS: Final = 1.0
"""More than any encoder puts before the first audible sample (AAC: 0.05 s, Opus: 0.08 s)."""

MOST_FILE_BYTES: Final = 2 * 1024**3
"""Three hours and 23 minutes of CD quality as WAV, a day of MP3 at 192 kbit/s. A sparse file that
claims 4 GB costs its maker nothing, and whoever copies it all of that."""

MOST_CHANNELS: Final = 8
"""7.1. Damaged headers claim thousands, for each of which memory would be set aside."""

SAMPLE_RATES: Final = range(1_000, 768_001)
"""Hz. No music is outside; damaged headers are, and would make windows of gigabytes."""

_DEMUX_ERRORS: Final = 64
"""Broken places in a row after which the rest of a file is given up."""


class OpenAudio:
    """An opened file with its audio stream. Times are seconds from the first audible sample.

    `tick` is the stream's clock in seconds, `first` the first audible sample's timestamp in ticks,
    `sample_rate` (Hz) that of its first frames.
    Raises `TrackError` or `av.FFmpegError` when the file is not audio that can be used.
    """

    def __init__(self, file: GuardedFile) -> None:
        self._file = file
        self._closing = ExitStack()
        self._open()

    def _open(self) -> None:
        self._closing.close()
        self.container = self._closing.enter_context(_container(self._file))
        self.stream = _audio_stream(self.container)
        self.tick, self.sample_rate = _prepared(self.stream)
        _discard_others(self.container, self.stream)
        self.first = self.stream.start_time or 0
        self._at_start = True

    def close(self) -> None:
        self._closing.close()

    @property
    def codec(self) -> str:
        return self.stream.codec_context.codec.canonical_name

    @property
    def format(self) -> str:
        return canonical_format(self.container.format.name, self.codec)

    @property
    def claimed_duration(self) -> float | None:
        """What the container says or FFmpeg guesses from the bit rate; None for neither."""
        if self.stream.duration is not None:
            return float(self.stream.duration * self.tick)
        return None if self.container.duration is None else self.container.duration / av.time_base

    def seconds(self, timestamp: int) -> float:
        """Seconds for a timestamp of the stream."""
        return float((timestamp - self.first) * self.tick)

    def sample_index(self, timestamp: int, sample_rate: int) -> int:
        """The nearest sample at `sample_rate` to a timestamp of the stream, exactly."""
        numerator, denominator = self.tick.numerator, self.tick.denominator
        return (2 * (timestamp - self.first) * numerator * sample_rate + denominator) // (
            2 * denominator
        )

    def seek(self, seconds: float) -> bool:
        """Go to the last place at or before `seconds` where decoding can begin.

        False when the file cannot be searched (some cannot even be rewound, such as a FLAC of one
        frame); it is then at its start.
        """
        if self._at_start and seconds <= 0:
            return True
        self._at_start = False
        if self._sought(seconds):
            return True
        self._open()
        return seconds <= 0

    def _sought(self, seconds: float) -> bool:
        wanted = [self.first + int(max(0.0, seconds) / self.tick)]
        if seconds <= 0:
            # Where the container allows it, the encoder's priming before the first audible sample.
            wanted.insert(0, self.first - int(_PRIMING_SECONDS / self.tick))
        for timestamp in wanted:
            with suppress(av.FFmpegError, OverflowError):
                self.container.seek(timestamp, stream=self.stream)
                return True
        return False

    def packets(self) -> "Iterator[Packet[AudioStream]]":
        """The stream's packets from here to the end, past broken places. The last one is empty:
        it makes the decoder give what it holds back."""
        self._at_start = False
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
        """The stream's decoded frames from here to the end. Left out is what cannot be decoded, and
        what has no samples or more channels or another rate than music has."""
        for packet in self.packets():
            try:
                frames = self.stream.codec_context.decode(packet)
            except av.FFmpegError:
                continue
            for frame in frames:
                usable = frame.layout.nb_channels <= MOST_CHANNELS and frame.samples > 0
                if usable and frame.sample_rate in SAMPLE_RATES:
                    yield frame


@contextmanager
def open_audio(source: Path | BinaryIO) -> Iterator[OpenAudio]:
    """Open `source` for demuxing and decoding; a given file object stays open afterwards.

    Raises `TrackError` with the reason when it is not audio that can be used, and whatever the
    source itself raises (`OSError`, `BackendError`), also when that happens inside the block.
    """
    with ExitStack() as stack:
        file = GuardedFile(_binary_file(source, stack))
        try:
            audio = OpenAudio(file)
            stack.callback(audio.close)
            yield audio
        except (av.FFmpegError, TrackError) as error:
            if file.error is not None:
                raise file.error from None
            if isinstance(error, TrackError):
                raise
            raise TrackError(_reason(file)) from error
        if file.error is not None:
            raise file.error


def refuse_too_large(size: int) -> None:
    """Raises `TrackError` for more than `MOST_FILE_BYTES`."""
    if size > MOST_FILE_BYTES:
        raise TrackError(f"larger than {MOST_FILE_BYTES >> 30} GiB")


def _container(file: GuardedFile) -> InputContainer:
    if file.size == 0:
        raise TrackError("empty file")
    refuse_too_large(file.size)
    file.seek(0)
    with file.being_opened():
        return av.open(
            file,
            "r",
            options={
                "format_whitelist": ACCEPTED_DEMUXERS,
                "protocol_whitelist": "file",
                # Stream analysis: FFmpeg's defaults, stated because they bound time and memory.
                "probesize": "5000000",
                "analyzeduration": "5000000",
                "fflags": "+fastseek" if _seeks_by_table(file) else "-fastseek",
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


def _seeks_by_table(file: GuardedFile) -> bool:
    """Whether a file is a large MP3 whose first frame says how time maps to bytes (Xing, Info or
    VBRI header). Without one FFmpeg would guess, and the guess can be wrong many times over."""
    if file.size <= FAST_SEEK_BYTES:
        return False
    file.seek(0)
    head = file.read(10)
    if head.startswith(b"ID3") and len(head) == 10:
        # ID3v2, section 3.1: the tag's size in four times seven bits, without these ten bytes.
        shifts = (21, 14, 7, 0)
        file.seek(10 + sum((byte & 0x7F) << n for byte, n in zip(head[6:], shifts, strict=True)))
    else:
        file.seek(0)
    first_frame = file.read(256)
    file.seek(0)
    return any(name in first_frame for name in (b"Xing", b"Info", b"VBRI"))


def _audio_stream(container: InputContainer) -> AudioStream:
    """The stream to hear."""
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        kinds = {other.type for other in container.streams}
        if kinds <= {"audio", "data", "unknown"}:  # there is one, but no telling what it holds
            raise TrackError("truncated or damaged: no complete frame")
        raise TrackError("no audio stream")
    return stream


def _prepared(stream: AudioStream) -> tuple[Fraction, int]:
    """Make the stream ready to decode on the calling thread alone. Returns its clock and its sample
    rate, which opening the decoder may forget: some headers lack what the frames say."""
    context: Any = stream.codec_context  # None when FFmpeg has no decoder
    if context is None or stream.time_base is None:
        raise TrackError("audio codec not supported")
    if context.layout.nb_channels > MOST_CHANNELS:
        raise TrackError(f"more than {MOST_CHANNELS} channels")
    if context.sample_rate not in SAMPLE_RATES:
        raise TrackError(f"a sample rate of {context.sample_rate} Hz is not supported")
    sample_rate: int = context.sample_rate
    # Many files are decoded at the same time; FFmpeg would start a thread per core for each.
    context.thread_count = 1
    try:
        context.open()
    except av.FFmpegError as error:
        raise TrackError(f"damaged: the {context.codec.canonical_name} header is broken") from error
    return stream.time_base, sample_rate


def _discard_others(container: InputContainer, stream: AudioStream) -> None:
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all


def _reason(file: GuardedFile) -> str:
    file.seek(0)
    return (
        "truncated or damaged: no complete frame"
        if looks_like_audio(file.read(16))
        else "not an audio file"
    )
