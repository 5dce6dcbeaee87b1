"""`moodsearch forget`: remove everything of a track or an artist, and prove it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from assets.forgetting.scan import Trace
from pipelines.forget import forget, plan, traces
from resources.audio.tags import AUDIO_EXTENSIONS
from resources.backends import Backends
from resources.catalogue.exclusions import SHORTEST_PREFIX, Exclusions
from resources.catalogue.tracks.uploads import file_id_of
from resources.errors import TrackError, UserError
from resources.settings import load_settings
from serving.cli.add import find_audio_files
from serving.cli.output import cell, console, table

_HASH_SHOWN: Final = 12


def run(what: Sequence[str], *, dry_run: bool, show: bool, lift: bool) -> int:
    """1 where something is left, or could not be searched or lifted."""
    with Backends(load_settings(), create=False) as backends:
        exclusions = Exclusions(backends.database)
        if show:
            return _list(exclusions, what)
        if lift:
            return _lift(exclusions, what)
        return _forget(backends, what[0], dry_run)


def _forget(backends: Backends, what: str, dry_run: bool) -> int:
    out = console()
    subject = plan(backends, what)
    if dry_run:
        found = traces(backends, subject)
        if not any(trace.count for trace in found):
            raise _nothing(what)
        _print_traces("Stored", found)
        out.print("Nothing was removed.")
        return 0
    receipt = forget(backends, subject)
    if not receipt.removed and not receipt.left:
        raise _nothing(what)
    _print_counts("Removed", receipt.removed)
    if receipt.left:
        _print_traces("Left", receipt.left)
    count = sum(trace.count for trace in receipt.left)
    out.print(f"Scanned everything in {receipt.scan_seconds:.1f} s: {count:,} traces.")
    return 1 if receipt.left else 0


def _nothing(what: str) -> UserError:
    return UserError(f"nothing is stored of {what}")


def _list(exclusions: Exclusions, paths: Sequence[str]) -> int:
    out = console()
    found = exclusions.all()
    if not found:
        out.print("Nothing is kept out.")
        return 0
    names = _names(exclusions, paths)
    rows = table("Forgotten", "Hash", "File")
    for each in found:
        name = names.get(each.hash, "")
        rows.add_row(f"{each.excluded_at:%Y-%m-%d %H:%M}", each.hash[:_HASH_SHOWN], cell(name))
    out.print(rows)
    out.print("Names are not kept: moodsearch forget --list FOLDER shows those of its files.")
    return 0


def _lift(exclusions: Exclusions, files_or_hashes: Sequence[str]) -> int:
    lifted = 0
    for each in files_or_hashes:
        found = list(_names(exclusions, [each])) if Path(each).exists() else [each]
        count = sum(exclusions.lift(hash_) for hash_ in found)
        if not count:
            raise UserError(
                f"{each} was not forgotten; name a file, or {SHORTEST_PREFIX} digits or more of a "
                "hash that --list shows"
            )
        lifted += count
    console().print(f"{lifted} let in again. Next: moodsearch add")
    return 0


def _names(exclusions: Exclusions, paths: Sequence[str]) -> dict[str, str]:
    """Of the files there, those that are kept out, by hash."""
    files = find_audio_files(map(Path, paths), AUDIO_EXTENSIONS).files
    by_id: dict[str, str] = {}
    for path in files:
        with suppress(TrackError):
            by_id[file_id_of(path)] = str(path)
    return {hash_: by_id[id_] for id_, hash_ in exclusions.matching(list(by_id)).items()}


def _print_traces(heading: str, found: Iterable[Trace]) -> None:
    rows = table(heading, ">Count", "")
    for trace in found:
        rows.add_row(cell(trace.place), f"{trace.count:,}", cell(trace.problem))
    console().print(rows)


def _print_counts(heading: str, counts: Mapping[str, int]) -> None:
    rows = table(heading, ">Count")
    for name, count in counts.items():
        rows.add_row(cell(name), f"{count:,}")
    console().print(rows)
