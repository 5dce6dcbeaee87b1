"""Replicate's HTTP API as documented: what its answers look like."""

from typing import Any

from tests.fakes.loopback import Answer

TOKEN = "r8_a-secret-token"

SCORES = {
    "Electronic---Ambient": 0.61,
    "Electronic---Techno": 0.3,
    "Rock---Krautrock": 0.2,
    "Non-Music---Field Recording": 0.05,
}

THROTTLED = Answer(429, {"detail": "Request was throttled. Your rate limit resets in ~1s."})


def prediction(status: str, *, output: object = None, error: str | None = None) -> dict[str, Any]:
    """A prediction object as the API shows it."""
    return {
        "id": "p1",
        "model": "mtg/effnet-discogs",
        "version": "1532dd06",
        "status": status,
        "input": {"audio": "https://audio.example/1.mp3"},
        "output": output,
        "logs": "",
        "error": error,
        "metrics": {},
        "created_at": "2026-01-01T00:00:00Z",
        "started_at": None,
        "completed_at": None,
        "urls": {},
    }


def uploaded_file(url: str) -> dict[str, Any]:
    """A file object as the API shows it."""
    return {
        "id": "f1",
        "name": "1.mp3",
        "content_type": "audio/mpeg",
        "size": 5,
        "etag": "0",
        "checksums": {},
        "metadata": {},
        "created_at": "2026-01-01T00:00:00Z",
        "expires_at": None,
        "urls": {"get": url},
    }
