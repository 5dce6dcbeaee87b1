"""Audio and covers that `moodsearch add` imported. An app's objects are never touched."""

from dataclasses import dataclass

from assets.forgetting.subject import Subject
from resources.audio.artwork import picture_key
from resources.backends import Backends
from resources.catalogue.tracks.uploads import owns_catalogue


@dataclass(frozen=True)
class ImportedAudio:
    """Files that no track of the catalogue has, once the subject's rows are gone."""

    backends: Backends
    name: str = "imported audio"
    stays_while_hidden: bool = True

    def holds(self, place: str) -> bool:
        return place.startswith("audio/")

    def remove(self, subject: Subject) -> int:
        if not owns_catalogue(self.backends.database):
            return 0
        rows = self.backends.database.rows(
            "SELECT file_id FROM unnest(%(ids)s::text[]) AS file_id"
            " WHERE NOT EXISTS (SELECT FROM public.tracks t WHERE t.file_id = file_id.file_id)",
            {"ids": sorted(subject.file_ids)},
        )
        store = self.backends.store
        keys = [key for row in rows for key in list(store.keys(f"audio/{row['file_id']}."))]
        for key in keys:
            store.delete(key)
        return len(keys)


@dataclass(frozen=True)
class ImportedCovers:
    """Covers that nothing else shows."""

    backends: Backends
    name: str = "covers"
    stays_while_hidden: bool = True

    def holds(self, place: str) -> bool:
        return place.startswith("artwork/")

    def remove(self, subject: Subject) -> int:
        if not owns_catalogue(self.backends.database):
            return 0
        keys = [picture_key(name) for name in subject.pictures]
        keys = [key for key in keys if self.backends.store.exists(key)]
        for key in keys:
            self.backends.store.delete(key)
        return len(keys)
