"""Tracks that are to be embedded, without a catalogue."""

from resources.catalogue.work.pending import PendingTrack


def pending(track_id: int, kind: str = "fine") -> PendingTrack:
    """A track whose file's name says what `tests.assets.troubled_backends` does with it."""
    return PendingTrack(
        track_id=track_id,
        step="embed",
        needs_genres=True,
        is_deleted=False,
        file_id=f"{kind}-{track_id}",
        file_type="wav",
        r2_url=None,
        title="a title",
        artist_handle="artist",
        artist_did="did:plc:artist",
        attributes=None,
    )
