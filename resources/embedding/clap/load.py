"""CLAP from where `CLAP_MODEL` says."""

from typing import Final

from resources.embedding.clap.files import ClapFiles
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.hub import HubFiles
from resources.embedding.clap.model import ClapModel
from resources.machine.cores import usable_cores
from resources.settings import Settings

MAX_TEXT_THREADS: Final = 4
"""For one query; more wait for each other."""


def load_clap(settings: Settings, *, audio_threads: int) -> ClapModel:
    """Fetches and opens nothing yet: each tower does when it is first used."""
    text_threads = min(MAX_TEXT_THREADS, usable_cores())
    return ClapModel(clap_files(settings), text_threads=text_threads, audio_threads=audio_threads)


def clap_files(settings: Settings) -> ClapFiles:
    """Those of a folder, or those of a repository on the hub."""
    if settings.clap_folder is not None:
        return FolderFiles(settings.clap_folder, settings.clap_precision)
    return HubFiles(settings.clap_model, settings.clap_precision, settings.clap_locks)
