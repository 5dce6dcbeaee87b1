"""What the work on a block takes back by itself of tracks that were deleted or hidden."""

from collections.abc import Callable, Collection, Sequence

from assets.forgetting.finding import gone
from assets.forgetting.registry import kinds
from assets.forgetting.subject import Subject
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import PendingTrack


def take_back(
    backends: Backends,
    block: Block,
    tracks: Sequence[PendingTrack],
    before_writing: Callable[[], None],
) -> set[int]:
    """Take back what is stored of those of the tracks that are deleted or hidden, and return which.
    While the block is held."""
    deleted = {track.track_id for track in tracks if track.is_deleted}
    hidden = backends.contents.hidden(block).intersection(t.track_id for t in tracks) - deleted
    forget_tracks(backends, deleted, before_writing)
    hide_tracks(backends, hidden, before_writing)
    return deleted | hidden


def forget_tracks(
    backends: Backends, track_ids: Collection[int], before_writing: Callable[[], None]
) -> None:
    """Take back all that is ours of the tracks, while their block is held."""
    if track_ids:
        subject = gone(backends.database, track_ids)
        for kind in kinds(backends, before_writing=before_writing):
            kind.remove(subject)


def hide_tracks(
    backends: Backends, track_ids: Collection[int], before_writing: Callable[[], None]
) -> None:
    """Take back all that is ours of the tracks but their embeddings, with which they come back at
    once; those go after `MOODSEARCH_KEEP_HIDDEN_DAYS`. While their block is held."""
    if not backends.settings.moodsearch_keep_hidden_days:
        forget_tracks(backends, track_ids, before_writing)
    elif track_ids:
        # Noted first: what is interrupted is done again.
        backends.records.hidden(track_ids)
        subject = Subject(track_ids=frozenset(track_ids))
        for kind in kinds(backends, before_writing=before_writing):
            if not kind.stays_while_hidden:
                kind.remove(subject)
