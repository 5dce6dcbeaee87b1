"""Forgetting tracks and artists on request: everything that is stored of them, at once."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from assets.forgetting.finding import find, public_in_app
from assets.forgetting.registry import kinds
from assets.forgetting.scan import Trace, scan
from assets.forgetting.subject import Kept, Subject
from pipelines.instance import dagster_instance
from pipelines.previews import RUNS, previews, purge
from resources.backends import Backends
from resources.catalogue.database import DAGSTER_SCHEMA
from resources.catalogue.exclusions import Exclusions
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.tracks.uploads import owns_catalogue
from resources.catalogue.work.contents import read_block_size
from resources.catalogue.work.overview import Overview
from resources.errors import UserError

WAIT_SECONDS: Final = 60
"""For a block that is being worked on."""


@dataclass(frozen=True)
class Receipt:
    """What was removed, by kind, and what a scan of everything finds afterwards."""

    removed: dict[str, int]
    left: list[Trace]
    scan_seconds: float


def plan(backends: Backends, what: str) -> Subject:
    """What `forget` would be asked for: see `find`. Changes nothing.

    Raises `UserError` where an app's track is public: the app is to delete or hide it first.
    """
    subject = find(backends.database, what)
    public = public_in_app(backends.database, subject)
    if public:
        raise UserError(
            f"the app shows {len(public)} of these tracks (the first is {public[0]}): delete or "
            "hide them there, and what is stored here goes by itself within a minute"
        )
    return subject


def traces(backends: Backends, subject: Subject) -> list[Trace]:
    """All that is stored of the subject, one for each place. Changes nothing."""
    counts: Counter[tuple[str, str]] = Counter()
    found: Iterable[Trace] = scan(backends, subject)
    shown = previews(backends.database, subject)
    for trace in [*found, *shown]:
        counts[trace.place, trace.problem] += trace.count
    return [Trace(place, count, problem) for (place, problem), count in sorted(counts.items())]


def forget(backends: Backends, subject: Subject) -> Receipt:
    """Take back everything, and look for what is left. To be repeated after a failure.

    Audio of a catalogue of our own is excluded first, so that no scan of a folder brings it back;
    the folder's file is not touched. Raises `BackendError` for a block that others work on for
    longer than a minute, and for what cannot be reached.
    """
    database = backends.database
    if owns_catalogue(database):
        Exclusions(database).add(subject.file_ids)
    removed: Counter[str] = Counter()
    # Once: also what no record tells of, because the schema was lost.
    listed = list(backends.store.keys("moodsearch/"))
    for block, tracks in subject.by_block(read_block_size(database)):
        with backends.locks.hold(block, wait_seconds=WAIT_SECONDS) as check:
            _remove(kinds(backends, before_writing=check, listed=listed), tracks, removed)
    # What is the artist's, and no track's.
    _remove(kinds(backends), replace(subject, track_ids=frozenset()), removed)
    KeywordIndex(database, backends.database_url).follow()
    if Overview(database).has_table(DAGSTER_SCHEMA, "event_logs"):
        with dagster_instance(backends) as instance:
            removed[RUNS] += purge(database, instance, subject)
    receipt = {name: count for name, count in removed.items() if count}
    started = time.monotonic()
    left = traces(backends, subject)
    return Receipt(receipt, left, time.monotonic() - started)


def _remove(kept: Iterable[Kept], subject: Subject, removed: Counter[str]) -> None:
    for kind in kept:
        removed[kind.name] += kind.remove(subject)
