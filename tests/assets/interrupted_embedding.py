"""Embeds tracks in worker processes that hang, to be killed."""

import sys
from pathlib import Path

from assets.embedders import embed_tracks
from assets.embedding_processes import EmbeddingProcesses
from resources.settings import load_settings
from tests.assets.tracks import pending
from tests.assets.troubled_backends import TroubledBackends

if __name__ == "__main__":
    backends = TroubledBackends(load_settings(), Path(sys.argv[1]))
    processes = EmbeddingProcesses(backends, backends.local_model.model.fingerprint, 2)
    tracks = [pending(number, "hangs") for number in range(4)]
    list(embed_tracks(tracks, lambda track: track.audio.key(), processes))
