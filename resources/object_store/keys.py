"""Which keys an object may have, the same for every store."""

from typing import Final

from resources.errors import ObjectNotFoundError, UserError

MAX_KEY_BYTES: Final = 1024
"""What S3 allows, in UTF-8 (Amazon S3 user guide, "Naming Amazon S3 objects")."""

MAX_SEGMENT_BYTES: Final = 255
"""What Linux and macOS file systems allow between two slashes (NAME_MAX)."""


RESERVED_PREFIX: Final = ".moodsearch-partial-"
"""How names of files that are still being written start; no segment of a key may."""


class InvalidKeyError(ObjectNotFoundError, UserError):
    """No object can have this key.

    To a writer that is a mistake of the user's; to a reader it means that there is no such object,
    so that one odd row in the catalogue does not stop its neighbours.
    """


def validate_key(key: str) -> str:
    """Return `key` if every store can hold it, else raise `InvalidKeyError`.

    A key is `/`-separated segments of at most 255 bytes each, none of them empty, `.` or `..`, with
    at most 1,024 bytes in all, of valid Unicode without control characters
    (listings are XML, which cannot hold most of them).
    """
    problem = _problem(key)
    if problem:
        raise InvalidKeyError(f"{_shortened(key)} cannot be the key of an object: {problem}")
    return key


def _problem(key: str) -> str | None:
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if not key:
        return "it is empty"
    if key.startswith("/"):
        return "it starts with a slash"
    if any(character < " " or character == "\x7f" for character in key):
        return "it contains a control character"
    if len(encoded) > MAX_KEY_BYTES:
        return f"it is longer than {MAX_KEY_BYTES} bytes"
    return next(filter(None, map(_segment_problem, key.split("/"))), None)


def _segment_problem(segment: str) -> str | None:
    if segment in {"", ".", ".."}:
        return f"it has the segment {segment!r}"
    if segment.startswith(RESERVED_PREFIX):
        return f"{RESERVED_PREFIX!r} is reserved"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"it has a segment longer than {MAX_SEGMENT_BYTES} bytes"
    return None


def _shortened(key: str) -> str:
    return ascii(key if len(key) <= 60 else f"{key[:60]}...")
