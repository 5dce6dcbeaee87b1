"""Requests to what they ask for: read within limits, then checked."""

import binascii
import json
from typing import Final

import anyio
from starlette.requests import ClientDisconnect, Request

from serving.embedding_service.limits import readable_size
from serving.embedding_service.refusal import RefusalError

_AUDIO_FIELDS: Final = ("audio_url", "audio_b64")


async def read_body(request: Request, limit_bytes: int, limit_seconds: float) -> bytearray:
    """The body, given up as soon as it is known to be too large (413) or too slow (408)."""
    too_large = RefusalError(413, f"the request is larger than {readable_size(limit_bytes)}")
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced[:20]) > limit_bytes:
        raise too_large
    body = bytearray()
    try:
        with anyio.fail_after(limit_seconds):
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit_bytes:
                    raise too_large
                body += chunk
    except TimeoutError:
        raise RefusalError(408, f"the request did not arrive within {limit_seconds:g} s") from None
    except ClientDisconnect:
        raise RefusalError(400, "the request broke off") from None
    return body


def parse_audio(body: bytearray) -> str | bytes:
    """The address of an audio file, or the file itself.

    Raises `RefusalError` unless there is exactly one of `audio_url` and `audio_b64`, and usable.
    """
    given = {name: value for name, value in _fields(body).items() if name in _AUDIO_FIELDS}
    given = {name: value for name, value in given.items() if value is not None}
    if len(given) != 1:
        both = "not both" if given else "the request has neither"
        raise RefusalError(422, f"give audio_url or audio_b64: {both}")
    ((name, value),) = given.items()
    if not isinstance(value, str):
        raise RefusalError(422, f"{name} must be a string")
    return value if name == "audio_url" else _decoded(value)


def parse_text(body: bytearray, limit_characters: int) -> str:
    """The text to embed, as it was sent. Raises `RefusalError` for none, an empty or a long one."""
    text = _fields(body).get("text")
    if text is None:
        raise RefusalError(422, "give text")
    if not isinstance(text, str):
        raise RefusalError(422, "text must be a string")
    if len(text) > limit_characters:
        raise RefusalError(422, f"text is longer than {limit_characters} characters")
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise RefusalError(422, "text is empty")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise RefusalError(422, "text has half a surrogate pair")
    return text


def _fields(body: bytearray) -> dict[str, object]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusalError(400, "the request is not JSON") from None
    if not isinstance(fields, dict):
        raise RefusalError(400, "the request is not a JSON object")
    return fields


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # also what is not ASCII
        raise RefusalError(422, "audio_b64 is not base64 (RFC 4648, without line breaks)") from None
