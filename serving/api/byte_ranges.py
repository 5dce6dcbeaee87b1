"""Which bytes a request asks for (RFC 9110, section 14)."""

import re
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,20})-(\d{0,20})[ \t]*", re.ASCII | re.IGNORECASE)


class UnsatisfiableRangeError(ValueError):
    """The range lies outside of the object."""


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte, inclusive, of an object of `size` bytes; None for all of it.

    A header that is malformed, or asks for several ranges at once, counts as none: a server may
    ignore it. Raises `UnsatisfiableRangeError`.
    """
    found = _ONE_RANGE.fullmatch(header or "")
    if found is None or found.group(1) == found.group(2) == "":
        return None
    if found.group(1) == "":
        first, last = max(0, size - int(found.group(2))), size - 1
    else:
        first = int(found.group(1))
        last = int(found.group(2)) if found.group(2) else size - 1
        if last < first <= size - 1:
            return None
    if first >= size:
        raise UnsatisfiableRangeError
    return first, min(last, size - 1)
